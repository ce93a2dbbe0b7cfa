/** WebSockets byte by byte, for tests that choose where a read ends (RFC 6455 §5.2). */
import { get } from './edge.ts'

/** The example of RFC 6455 §1.3. */
export const HANDSHAKE = get(
  '/',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
)
export const ACCEPTED = [
  'HTTP/1.1 101 Switching Protocols',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  '',
  '',
].join('\r\n')

/** A mask that makes a frame a client's; masked text reads as itself under this one. */
export const MASK = '\0\0\0\0'

/** A frame with a payload below 65,536 bytes, as latin1. */
export const frame = (first: number, payload: string, mask = ''): string => {
  const masked = mask === '' ? 0 : 0x80
  const { length } = payload
  const lengthBytes = length < 126 ? [masked | length] : [masked | 126, length >> 8, length & 0xff]
  return String.fromCharCode(first, ...lengthBytes) + mask + payload
}

export const textFrame = (text: string, mask = ''): string => frame(0x81, text, mask)

export const closeFrame = (code: number, reason = '', mask = ''): string =>
  frame(0x88, String.fromCharCode(code >> 8, code & 0xff) + reason, mask)

/** Code and reason of the Close frame, masked or not, that ASCII text ends with. */
export const closeAtEnd = (text: string): readonly [number, string] | undefined => {
  // The first: a mask may hold any octet.
  const from = text.indexOf('\x88')
  if (from < 0) return undefined
  const second = text.charCodeAt(from + 1)
  const mask = second & 0x80 ? text.slice(from + 2, from + 6) : MASK
  const payload = Array.from(text.slice(from + (second & 0x80 ? 6 : 2)), (character, at) =>
    String.fromCharCode(character.charCodeAt(0) ^ mask.charCodeAt(at % 4)),
  ).join('')
  if (payload.length !== (second & 0x7f)) return undefined
  return [payload.charCodeAt(0) * 256 + payload.charCodeAt(1), payload.slice(2)]
}
