/**
 * Targets of HTTP/2: one that answers as a test's handler says, on Node's own server, and one whose
 * every frame the test writes itself.
 */
import { once } from 'node:events'
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { eventually } from '../../support/eventually.ts'

export interface Http2Target extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly server: Http2Server
  /** Every connection since the start, oldest first. */
  readonly sessions: readonly ServerHttp2Session[]
  /** Every stream since the start, oldest first. */
  readonly streams: readonly ServerHttp2Stream[]
}

export type StreamHandler = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  /** Names and values in turns, as they came. */
  fields: readonly string[],
) => void

export const startHttp2Target = async (
  handle: StreamHandler,
  options: ServerOptions = {},
  where: { readonly path: string } | { readonly port: number } = { port: 0 },
): Promise<Http2Target> => {
  const sessions: ServerHttp2Session[] = []
  const streams: ServerHttp2Stream[] = []
  const server = createServer(options)
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream: ServerHttp2Stream, headers, _flags, fields) => {
    streams.push(stream)
    stream.on('error', () => {})
    handle(stream, headers, fields)
  })
  server.listen('path' in where ? where : { ...where, host: '127.0.0.1' })
  await once(server, 'listening')
  const port = 'path' in where ? 0 : (server.address() as AddressInfo).port
  return {
    url: 'path' in where ? `unix+h2c:${where.path}` : `h2c://127.0.0.1:${port}`,
    port,
    server,
    sessions,
    streams,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      for (const session of sessions) session.destroy()
      server.close()
      await closed
    },
  }
}

export const FRAME = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const

export const END_STREAM = 1
export const ACK = 1
export const END_HEADERS = 4

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** HPACK: an indexed `:status: 200`, and nothing else. */
export const STATUS_200 = Buffer.from([0x88])

export const frame = (
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

export const code = (number: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(number)
  return bytes
}

/** A connection of which the test sees and says every frame. SETTINGS are exchanged already. */
export class FrameConnection {
  readonly socket: Socket
  readonly frames: Frame[] = []
  closed = false
  #bytes = Buffer.alloc(0)
  #prefaced = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('close', () => (this.closed = true))
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
    this.send(FRAME.settings, 0, 0)
  }

  send(type: number, flags: number, stream: number, payload?: Buffer): void {
    this.socket.write(frame(type, flags, stream, payload))
  }

  /** The first frame of that type, as soon as it has come. */
  async sees(type: number, matches: (frame: Frame) => boolean = () => true): Promise<Frame> {
    const find = (): Frame | undefined =>
      this.frames.find((each) => each.type === type && matches(each))
    await eventually(`a frame of type ${type}`, () => {
      if (find() !== undefined) return true
      throw new Error(`so far: ${JSON.stringify(this.frames.map(summary))}`)
    })
    const found = find()
    if (found === undefined) throw new Error(`no frame of type ${type}`)
    return found
  }

  #read(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    if (!this.#prefaced) {
      if (this.#bytes.length < PREFACE_BYTES) return
      this.#prefaced = true
      this.#bytes = this.#bytes.subarray(PREFACE_BYTES)
    }
    while (this.#bytes.length >= 9) {
      const end = 9 + this.#bytes.readUIntBE(0, 3)
      if (this.#bytes.length < end) return
      const read: Frame = {
        type: this.#bytes[3] ?? 0,
        flags: this.#bytes[4] ?? 0,
        stream: this.#bytes.readUInt32BE(5),
        payload: this.#bytes.subarray(9, end),
      }
      this.#bytes = this.#bytes.subarray(end)
      this.frames.push(read)
      if (read.type === FRAME.settings && read.flags === 0) this.send(FRAME.settings, ACK, 0)
    }
  }
}

export interface FrameTarget extends AsyncDisposable {
  readonly url: string
  readonly connections: readonly FrameConnection[]
  /** The connection with that number, as soon as it is there. */
  connection(index: number): Promise<FrameConnection>
}

export const startFrameTarget = async (): Promise<FrameTarget> => {
  const connections: FrameConnection[] = []
  const server = createTcpServer({ noDelay: true }, (socket) => {
    connections.push(new FrameConnection(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    connection: async (index) => {
      await eventually(`connection ${index} to the target`, () => connections.length > index)
      const connection = connections[index]
      if (connection === undefined) throw new Error(`there is no connection ${index}`)
      return connection
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      for (const { socket } of connections) socket.destroy()
      server.close()
      await closed
    },
  }
}

const PREFACE_BYTES = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'.length

const summary = ({ type, flags, stream, payload }: Frame): readonly number[] => [
  type,
  flags,
  stream,
  payload.length,
]
