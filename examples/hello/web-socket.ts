/**
 * The example's WebSocket (RFC 6455), by hand, since the example needs nothing but Node: it greets with
 * the release's label and sends every short text back with the label before it. A real application
 * takes a library, which also does fragments, large messages and compression.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

const TEXT = 0x1
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa
const FIN = 0x80
/** Two octets of header and four of mask come before a short payload. */
const HEADER_BYTES = 6
const PAYLOAD_BYTES_MAX = 125

/** Answers the handshake and serves the socket until either side closes it. */
export const serveWebSocket = (request: IncomingMessage, socket: Duplex, label: string): void => {
  const key = request.headers['sec-websocket-key']
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
    socket.end('HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n')
    return
  }
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `X-Release: ${label}\r\nSec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n`,
  )
  const send = (opcode: number, payload: Buffer): void => {
    socket.write(Buffer.concat([Buffer.of(FIN | opcode, payload.length), payload]))
  }
  send(TEXT, Buffer.from(label))
  let unread: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('end', () => socket.end())
  socket.on('data', (bytes: Buffer) => {
    unread = Buffer.concat([unread, bytes])
    for (let frame = firstFrame(unread); frame !== undefined; frame = firstFrame(unread)) {
      unread = unread.subarray(HEADER_BYTES + frame.payload.length)
      if (frame.opcode === TEXT) {
        const text = Buffer.from(`${label}: ${frame.payload.toString()}`)
        send(TEXT, text.subarray(0, PAYLOAD_BYTES_MAX))
      } else if (frame.opcode === PING) send(PONG, frame.payload)
      else if (frame.opcode === CLOSE) {
        send(CLOSE, frame.payload)
        socket.end()
        return
      }
    }
    // A frame that is longer than what fits.
    if (unread.length >= 2 && ((unread[1] ?? 0) & 0x7f) > PAYLOAD_BYTES_MAX) {
      send(CLOSE, Buffer.of(1009 >> 8, 1009 & 0xff))
      socket.end()
    }
  })
}

/** The first whole frame, unmasked; undefined when it has not come, or is a long one. */
const firstFrame = (bytes: Buffer): { opcode: number; payload: Buffer } | undefined => {
  const length = (bytes[1] ?? 0) & 0x7f
  if (length > PAYLOAD_BYTES_MAX || bytes.length < HEADER_BYTES + length) return undefined
  const mask = bytes.subarray(2, HEADER_BYTES)
  const payload = Buffer.from(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length))
  for (let at = 0; at < length; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0)
  return { opcode: (bytes[0] ?? 0) & 0x0f, payload }
}
