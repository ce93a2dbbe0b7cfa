/** HTTP servers that stand in for applications: what they answer can be changed while they run. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
} from 'node:net'

export interface Upstream extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** What it was asked so far. */
  readonly requests: readonly {
    readonly method: string
    readonly url: string
    readonly headers: IncomingMessage['headers']
  }[]
  answer: (request: IncomingMessage, response: ServerResponse) => void
  /** Stops listening and cuts every connection, as a killed process does. */
  readonly kill: () => Promise<void>
  /** Listens on the same port again. */
  readonly revive: () => Promise<void>
}

export const answering =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = '') =>
  (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, headers).end(body)
  }

export const silent = (): void => {}

/** Listens on a port of 127.0.0.1, or on a socket path. */
export const startUpstream = async (
  answer: Upstream['answer'] = answering(200),
  at: { readonly port?: number; readonly socketPath?: string } = {},
): Promise<Upstream> => {
  const requests: { method: string; url: string; headers: IncomingMessage['headers'] }[] = []
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    requests.push({ method, url, headers })
    upstream.answer(request, response)
  })
  await listen(server, at)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const kill = async (): Promise<void> => {
    if (!server.listening) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  const upstream: Upstream = {
    url: at.socketPath === undefined ? `http://127.0.0.1:${port}` : `unix:${at.socketPath}`,
    port,
    requests,
    answer,
    kill,
    revive: () => listen(server, at.socketPath === undefined ? { port } : at),
    [Symbol.asyncDispose]: kill,
  }
  return upstream
}

/** A server below HTTP: it says `greeting` to everybody who connects and then hangs up. */
export const startRaw = async (greeting: string): Promise<AsyncDisposable & { url: string }> => {
  const server: TcpServer = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(greeting))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

/** A port on which nothing listens. */
export const deadUrl = async (): Promise<string> => {
  await using upstream = await startUpstream()
  return upstream.url
}

const listen = (
  server: Server,
  at: { readonly port?: number; readonly socketPath?: string },
): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    const listening = (): void => {
      server.off('error', reject)
      resolve()
    }
    if (at.socketPath === undefined) server.listen(at.port ?? 0, '127.0.0.1', listening)
    else server.listen(at.socketPath, listening)
  })
