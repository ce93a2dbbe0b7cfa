/**
 * The Close frames that we send ourselves (RFC 6455 §5.5.1), as Latin-1 text: one octet a character.
 * For whatever reason a proxy ends a WebSocket, both ends hear it in their own protocol.
 */
import { randomBytes } from 'node:crypto'

export type CloseReason = 'restart' | 'idle' | 'too-large' | 'target-left'

/** To a client. RFC 6455 §5.1: frames of a server are not masked. */
export const closeToClient = (reason: CloseReason): string => {
  const payload = PAYLOADS[reason]
  return CLOSE + String.fromCharCode(payload.length) + payload
}

/** To a target. RFC 6455 §5.3: frames of a client are masked, each with a mask that nobody can guess. */
export const closeToTarget = (reason: CloseReason): string => {
  const payload = PAYLOADS[reason]
  const mask = randomBytes(MASK_BYTES)
  let text = CLOSE + String.fromCharCode(MASKED | payload.length, ...mask)
  for (let at = 0; at < payload.length; at += 1) {
    text += String.fromCharCode(payload.charCodeAt(at) ^ (mask[at % MASK_BYTES] ?? 0))
  }
  return text
}

/** FIN, and the opcode. */
const CLOSE = '\x88'
const MASKED = 0x80
const MASK_BYTES = 4

const payloadOf = (code: number, words: string): string =>
  String.fromCharCode(code >> 8, code & 0xff) + words

/** RFC 6455 §7.4.1 and its registry: 1012 asks a client to come back, after a moment of its own choice. */
const PAYLOADS: Readonly<Record<CloseReason, string>> = {
  restart: payloadOf(1012, 'service restart'),
  idle: payloadOf(1001, 'idle for too long'),
  'too-large': payloadOf(1009, 'message too large'),
  'target-left': payloadOf(1011, 'the target has left'),
}
