/**
 * The opening handshake of a WebSocket, as far as somebody in between can judge it (RFC 6455 §4.2). What
 * it negotiates (subprotocol, extensions, version) is for the two ends. That both of them mean it is
 * for us: after a 101 nobody reads requests any more, so a client that could talk a target into a
 * number would have a way past every rule to whatever else listens there.
 */
import { createHash } from 'node:crypto'
import type { RequestHead } from '../../http/request.ts'

/** The protocol's name in Upgrade. */
export const WEBSOCKET = 'websocket'

/** RFC 6455 §4.2.1: a GET with one key of 16 octets. */
export const isHandshake = ({ method, fields }: Pick<RequestHead, 'method' | 'fields'>): boolean =>
  method === 'GET' && KEY_VALUE.test(valueOf(KEY, fields))

/** RFC 6455 §4.2.2: whether the fields of a 101 answer the key in those of the request. */
export const answersHandshake = (requestFields: string, responseFields: string): boolean => {
  const key = valueOf(KEY, requestFields)
  const expected = createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`, 'latin1').digest('base64')
  return valueOf(ACCEPT, responseFields) === expected
}

const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const KEY = /^sec-websocket-key:([^\r]*)\r$/gim
const ACCEPT = /^sec-websocket-accept:([^\r]*)\r$/gim
const KEY_VALUE = /^[A-Za-z0-9+/]{22}==$/

/** The value of the field that a pattern finds; '' when there is none, or more than one. */
const valueOf = (field: RegExp, fields: string): string => {
  const found = [...fields.matchAll(field)]
  return found.length === 1 ? (found[0]?.[1] ?? '').trim() : ''
}
