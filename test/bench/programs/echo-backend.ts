/**
 * A backend on raw sockets, as cheap as Node allows: it reads request bodies to their end before it
 * answers, and echoes the messages of WebSockets. Every answer is written down beforehand.
 */
import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'

export interface EchoBackendTask {
  readonly port: number
}

const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n${'x'.repeat(100)}`,
)
const LENGTH_REQUIRED =
  'HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
const HEAD_END = '\r\n\r\n'
/** RFC 6455 §1.3 */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const BACKLOG = 4_096
/** RFC 6455 §5.2: two bytes, then the mask of every frame that a client sends. */
const FRAME_HEAD_BYTES = 2
const MASK_BYTES = 4
const SHORT_PAYLOAD_MAX = 125
const LENGTH_BITS = 0x7f

const serveRequests = (socket: Socket): void => {
  let head = ''
  let bodyBytesMissing = 0
  const onData = (chunk: Buffer): void => {
    let offset = 0
    while (offset < chunk.length) {
      if (bodyBytesMissing > 0) {
        const taken = Math.min(bodyBytesMissing, chunk.length - offset)
        offset += taken
        bodyBytesMissing -= taken
        if (bodyBytesMissing === 0) socket.write(ANSWER)
        continue
      }
      const had = head.length
      head += chunk.toString('latin1', offset)
      const end = head.indexOf(HEAD_END)
      if (end < 0) return
      offset += end + HEAD_END.length - had
      const key = /\r\nsec-websocket-key: *([^\r]+)/i.exec(head)?.[1]
      if (key !== undefined) {
        socket.off('data', onData)
        return serveMessages(socket, key, chunk.subarray(offset))
      }
      const length = /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, end + 2))?.[1]
      if (length === undefined && !head.startsWith('GET ')) return void socket.end(LENGTH_REQUIRED)
      head = ''
      bodyBytesMissing = Number(length ?? 0)
      if (bodyBytesMissing === 0) socket.write(ANSWER)
    }
  }
  socket.on('data', onData)
}

const serveMessages = (socket: Socket, key: string, first: Buffer): void => {
  const accept = createHash('sha1').update(`${key}${KEY_SUFFIX}`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  let waiting = first
  const onData = (chunk: Buffer): void => {
    const bytes = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk])
    let offset = 0
    while (bytes.length - offset >= FRAME_HEAD_BYTES) {
      const payload = (bytes[offset + 1] ?? 0) & LENGTH_BITS
      // The load sends short messages only; anything else is not for us.
      if (payload > SHORT_PAYLOAD_MAX) return void socket.destroy()
      const frame = FRAME_HEAD_BYTES + MASK_BYTES + payload
      if (bytes.length - offset < frame) break
      socket.write(echoOf(bytes, offset, payload))
      offset += frame
    }
    waiting = bytes.subarray(offset)
  }
  socket.on('data', onData)
  if (first.length > 0) onData(Buffer.alloc(0))
}

/** The same message, unmasked: RFC 6455 §5.1 has servers send it so. */
const echoOf = (bytes: Buffer, offset: number, payload: number): Buffer => {
  const echo = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payload)
  echo[0] = bytes[offset] ?? 0
  echo[1] = payload
  const mask = offset + FRAME_HEAD_BYTES
  const body = mask + MASK_BYTES
  for (let index = 0; index < payload; index++) {
    echo[FRAME_HEAD_BYTES + index] = (bytes[body + index] ?? 0) ^ (bytes[mask + (index & 3)] ?? 0)
  }
  return echo
}

// Written by `Processes.talkTo`.
const { port } = JSON.parse(process.argv[2] ?? '') as EchoBackendTask
const server = createServer({ noDelay: true }, (socket) => {
  // Loads end by leaving.
  socket.on('error', () => undefined)
  serveRequests(socket)
})
server.listen(port, '127.0.0.1', BACKLOG, () => process.send?.('ready'))
process.on('disconnect', () => process.exit())
