/**
 * A lenient target that a test scripts byte by byte: it knows no HTTP but where a head ends, so it can
 * answer early, late, wrongly, or not at all.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { eventually } from '../../support/eventually.ts'

export interface Target extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Every connection since the start, oldest first. */
  readonly connections: readonly TargetConnection[]
  /** Connections that are open now. */
  readonly open: number
  /** The connection with that number, as soon as it is there. */
  connection(index: number): Promise<TargetConnection>
  readonly stop: () => Promise<void>
}

export type Script = (connection: TargetConnection) => Promise<void> | void

export const startTarget = async (
  script: Script = () => {},
  where: { readonly path: string } | { readonly port: number } = { port: 0 },
): Promise<Target> => {
  const connections: TargetConnection[] = []
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection = new TargetConnection(socket)
    connections.push(connection)
    // A script that waits for something that will not come ends with its connection.
    Promise.resolve(script(connection)).catch(() => socket.destroy())
  })
  await listening(server, where)
  const port = 'path' in where ? 0 : (server.address() as AddressInfo).port

  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const { socket } of connections) socket.destroy()
    await closed
  }
  return {
    url: 'path' in where ? `unix:${where.path}` : `http://127.0.0.1:${port}`,
    port,
    connections,
    get open() {
      return connections.filter(({ left }) => !left).length
    },
    connection: async (index) => {
      await eventually(`connection ${index} to the target`, () => connections.length > index)
      const connection = connections[index]
      if (connection === undefined) throw new Error(`there is no connection ${index}`)
      return connection
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      if (server.listening) await stop()
    },
  }
}

const listening = (server: Server, where: { path: string } | { port: number }): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen('path' in where ? where : { ...where, host: '127.0.0.1' }, resolve)
  })

export class TargetConnection {
  readonly socket: Socket
  /** What has come and not been read yet, as latin1. */
  unread = ''
  bytes = 0
  ended = false
  closed = false
  #discards = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.bytes += chunk.length
      if (!this.#discards) this.unread += chunk.toString('latin1')
    })
    socket.on('end', () => (this.ended = true))
    socket.on('error', () => {})
    socket.on('close', () => (this.closed = true))
  }

  /** FIN or worse has come: the proxy has let go of it. */
  get left(): boolean {
    return this.ended || this.closed
  }

  /** Reads one head, its empty line included. */
  async head(): Promise<string> {
    await this.#until(() => this.unread.includes('\r\n\r\n'), 'a head')
    return this.#take(this.unread.indexOf('\r\n\r\n') + 4)
  }

  async read(length: number): Promise<string> {
    await this.#until(() => this.unread.length >= length, `${length} bytes`)
    return this.#take(length)
  }

  /** Reads up to and including `part`. */
  async readUntil(part: string): Promise<string> {
    await this.#until(() => this.unread.includes(part), part)
    return this.#take(this.unread.indexOf(part) + part.length)
  }

  /** Counts what comes from now on, and forgets it. */
  discard(): void {
    this.#discards = true
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  end(text = ''): void {
    this.socket.end(text, 'latin1')
  }

  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** Looks at every read, without polling: a target is asked for much in little time. */
  #until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!condition() && !this.closed) return
        this.socket.off('data', look)
        this.socket.off('close', look)
        if (condition()) resolve()
        else reject(new Error(`the connection closed before ${what} came`))
      }
      this.socket.on('data', look)
      this.socket.on('close', look)
      look()
    })
  }

  #take(length: number): string {
    const taken = this.unread.slice(0, length)
    this.unread = this.unread.slice(length)
    return taken
  }
}

export const ok = (body: string, ...lines: readonly string[]): string =>
  ['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...lines, '', body].join('\r\n')

/** Answers every request head on a connection with the same text; bodies are not looked at. */
export const always =
  (answer: string | ((head: string) => string)): Script =>
  async (connection) => {
    for (;;) {
      const head = await connection.head()
      connection.send(typeof answer === 'string' ? answer : answer(head))
    }
  }
