/** WebSockets by `ws`: a target that accepts them, and clients that come through the edge. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from 'ws'
import type { Edge } from './edge.ts'

export interface WebSocketTarget extends AsyncDisposable {
  readonly url: string
  /** Every WebSocket since the start, oldest first. */
  readonly sockets: readonly Peer[]
  /** Ends it as a crash would: every socket is cut. */
  readonly crash: () => void
}

/** One end of a WebSocket, with what it has heard. */
export interface Peer {
  readonly socket: WebSocket
  readonly messages: readonly string[]
  /** Code and reason; undefined before the end. */
  readonly closed: readonly [number, string] | undefined
  readonly pongs: readonly string[]
}

/** By default it echoes every message. */
export const startWebSocketTarget = async (
  onSocket: (socket: WebSocket, request: IncomingMessage) => void = echo,
  options: ServerOptions = {},
  path?: string,
): Promise<WebSocketTarget> => {
  const server = createServer((_, response) => response.end('no WebSocket'))
  const webSockets = new WebSocketServer({ server, ...options })
  const sockets: Peer[] = []
  webSockets.on('connection', (socket, request) => {
    sockets.push(peerOf(socket))
    onSocket(socket, request)
  })
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path })
  await once(server, 'listening')
  const address = server.address() as AddressInfo | string
  const crash = (): void => {
    for (const { socket } of sockets) socket.terminate()
  }
  return {
    url: typeof address === 'string' ? `unix:${address}` : `http://127.0.0.1:${address.port}`,
    sockets,
    crash,
    [Symbol.asyncDispose]: async () => {
      crash()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export const echo = (socket: WebSocket): void => {
  socket.on('message', (data, binary) => socket.send(data, { binary }))
}

/** A client's WebSocket as soon as it is asked for: `once(socket, 'open')` says that it is there. */
export const startWebSocket = (
  { port }: Pick<Edge, 'port'>,
  options: ClientOptions & { readonly protocols?: readonly string[] } = {},
): Peer =>
  peerOf(
    new WebSocket(`ws://127.0.0.1:${port}/socket`, [...(options.protocols ?? [])], {
      ...options,
      headers: { host: 'app.test', ...options.headers },
    }),
  )

export const openWebSocket = async (
  edge: Pick<Edge, 'port'>,
  options: Parameters<typeof startWebSocket>[1] = {},
): Promise<Peer> => {
  const peer = startWebSocket(edge, options)
  await once(peer.socket, 'open')
  return peer
}

/** The status of an answer that is not 101. */
export const refusalOf = async (edge: Pick<Edge, 'port'>): Promise<number> => {
  const { socket } = startWebSocket(edge)
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  response.resume()
  socket.terminate()
  return response.statusCode ?? 0
}

const peerOf = (socket: WebSocket): Peer => {
  const messages: string[] = []
  const pongs: string[] = []
  const peer = { socket, messages, pongs, closed: undefined as Peer['closed'] }
  socket.on('error', () => undefined)
  socket.on('message', (data: Buffer) => messages.push(data.toString()))
  socket.on('pong', (data) => pongs.push(data.toString()))
  socket.on('close', (code, reason) => (peer.closed = [code, reason.toString()]))
  return peer
}
