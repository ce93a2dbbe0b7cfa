/**
 * HTTP/2 frame by frame, for tests that send what no client would. It shares nothing with the proxy's own
 * code: field blocks are plain literals here (RFC 7541 §6.2.2), whatever the names and values are.
 */
import { eventually } from '../../support/eventually.ts'
import type { Edge, RawClient } from './edge.ts'

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const
export const END_STREAM = 1
export const ACK = 1
export const END_HEADERS = 4
export const PADDED = 8

/** A frame as latin1 text, of any type and length. */
export const frame = (type: number, flags: number, id: number, payload = ''): string =>
  uint(payload.length, 3) + String.fromCharCode(type, flags) + uint(id, 4) + payload

export const uint = (value: number, octets: number): string =>
  Array.from({ length: octets }, (_, place) =>
    String.fromCharCode(Math.floor(value / 256 ** (octets - 1 - place)) % 256),
  ).join('')

export const setting = (id: number, value: number): string => uint(id, 2) + uint(value, 4)
export const settings = (...pairs: readonly string[]): string =>
  frame(TYPE.settings, 0, 0, pairs.join(''))
export const reset = (id: number, code = 8): string => frame(TYPE.reset, 0, id, uint(code, 4))
export const windowUpdate = (id: number, more: number): string =>
  frame(TYPE.windowUpdate, 0, id, uint(more, 4))

export type Fields = readonly (readonly [name: string, value: string])[]

export const block = (fields: Fields): string =>
  fields.map(([name, value]) => `\0${stringOf(name)}${stringOf(value)}`).join('')

/** What every request has. */
export const GET: Fields = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'app.test'],
]
export const POST: Fields = [[':method', 'POST'], ...GET.slice(1)]

export const headers = (id: number, fields: Fields = GET, flags = END_STREAM): string =>
  frame(TYPE.headers, END_HEADERS | flags, id, block(fields))

export const data = (id: number, content: string, flags = 0): string =>
  frame(TYPE.data, flags, id, content)

/** A connection on which only the preface and SETTINGS have been sent. */
export const begin = (edge: Edge, ...pairs: readonly string[]): RawClient => {
  const client = edge.client()
  client.send(PREFACE + settings(...pairs))
  return client
}

export interface ReceivedFrame {
  readonly type: number
  readonly flags: number
  readonly id: number
  readonly payload: string
}

/** All whole frames that the proxy has sent. */
export const framesOf = ({ text }: RawClient): readonly ReceivedFrame[] => {
  const frames: ReceivedFrame[] = []
  for (let at = 0; at + 9 <= text.length;) {
    const length = numberOf(text.slice(at, at + 3))
    const payload = text.slice(at + 9, at + 9 + length)
    if (payload.length < length) break
    frames.push({
      type: text.charCodeAt(at + 3),
      flags: text.charCodeAt(at + 4),
      id: numberOf(text.slice(at + 5, at + 9)),
      payload,
    })
    at += 9 + length
  }
  return frames
}

/** The code of the last GOAWAY; undefined while there is none. */
export const goAwayOf = (client: RawClient): number | undefined => {
  const last = framesOf(client).findLast(({ type }) => type === TYPE.goAway)
  return last && numberOf(last.payload.slice(4, 8))
}

/** The code of that stream's RST_STREAM; undefined while there is none. */
export const resetOf = (client: RawClient, id: number): number | undefined => {
  const found = framesOf(client).find((each) => each.type === TYPE.reset && each.id === id)
  return found && numberOf(found.payload)
}

/** The status of that stream's answer, as far as our encoder has an octet for it; 0 for others. */
export const statusOf = (client: RawClient, id: number): number | undefined => {
  const found = framesOf(client).find((each) => each.type === TYPE.headers && each.id === id)
  if (found === undefined) return undefined
  const first = found.payload.charCodeAt(0)
  return STATUSES.get(first) ?? (first === 0x08 ? decodeDigits(found.payload) : 0)
}

/** The end of the connection, with what the last GOAWAY said. */
export const endOf = async (client: RawClient): Promise<number | undefined> => {
  await eventually('the connection ends', () => client.over)
  return goAwayOf(client)
}

const STATUSES: ReadonlyMap<number, number> = new Map([
  [0x88, 200],
  [0x89, 204],
  [0x8c, 400],
  [0x8d, 404],
  [0x8e, 500],
])

/** Three digits, as they are or in Huffman's code (RFC 7541 appendix B): `0`, `1` and `2` have five bits, the others six. */
const decodeDigits = (payload: string): number => {
  if (payload.charCodeAt(1) < 0x80) return Number(payload.slice(2, 5))
  const length = payload.charCodeAt(1) & 0x7f
  const bits = Array.from(payload.slice(2, 2 + length), (octet) =>
    octet.charCodeAt(0).toString(2).padStart(8, '0'),
  ).join('')
  let digits = ''
  for (let at = 0; digits.length < 3;) {
    const short = Number.parseInt(bits.slice(at, at + 5), 2)
    const isShort = short <= 2
    digits += isShort ? short : Number.parseInt(bits.slice(at, at + 6), 2) - 0x19 + 3
    at += isShort ? 5 : 6
  }
  return Number(digits)
}

const numberOf = (octets: string): number =>
  Array.from(octets).reduce((sum, octet) => sum * 256 + octet.charCodeAt(0), 0)

const stringOf = (text: string): string => {
  if (text.length < 127) return String.fromCharCode(text.length) + text
  let length = '\x7f'
  let left = text.length - 127
  for (; left >= 128; left = Math.floor(left / 128))
    length += String.fromCharCode((left % 128) | 128)
  return length + String.fromCharCode(left) + text
}
