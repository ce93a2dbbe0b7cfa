/**
 * An application to deploy. It answers with its label, and holds, streams or upgrades on request.
 *
 * | path        | what it does                                             |
 * | ----------- | -------------------------------------------------------- |
 * | `/up`       | the health check; `answerHealth` changes what it says    |
 * | `/hold`     | answers with the label once `release` is called          |
 * | `/download` | sends half of a body of known length, the rest likewise  |
 * | `/events`   | server-sent events, until `release` is called            |
 * | `/endless`  | a stream without end                                     |
 * | `/host`     | the Host it was asked for                                |
 * | `/socket`   | a WebSocket that greets with the label and echoes        |
 *
 * Any other path is answered with the label.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'

export interface Upstream extends AsyncDisposable {
  readonly label: string
  readonly url: string
  /** Requests seen so far, health checks apart. */
  readonly seen: () => number
  readonly healthChecks: () => number
  /** Requests that wait for `release`. */
  readonly held: () => number
  /** Sets what the health check answers from now on. */
  readonly answerHealth: (status: number, body?: string) => void
  /** Lets everything that waits come to its end. */
  readonly release: () => void
  /** Ends it as a crash would: every socket is cut. */
  readonly stop: () => Promise<void>
}

export const DOWNLOAD_BYTES = 200_000
const EVENT_EVERY_MS = 20

export const startUpstream = async (label: string): Promise<Upstream> => {
  let seen = 0
  let healthChecks = 0
  let health = { status: 200, body: 'up' }
  const held = new Set<() => void>()
  const hold = (response: ServerResponse, finish: () => void): void => {
    held.add(finish)
    response.on('close', () => held.delete(finish))
  }

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    request.resume()
    const { url: path = '/' } = request
    if (path === '/up') {
      healthChecks += 1
      response.writeHead(health.status).end(health.body)
      return
    }
    seen += 1
    switch (path) {
      case '/hold':
        return hold(response, () => void response.end(label))
      case '/download': {
        const half = 'd'.repeat(DOWNLOAD_BYTES / 2)
        response.writeHead(200, { 'content-length': DOWNLOAD_BYTES }).write(half)
        return hold(response, () => void response.end(half))
      }
      case '/events':
      case '/endless': {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        const timer = setInterval(() => response.write(`data: ${label}\n\n`), EVENT_EVERY_MS)
        response.on('close', () => clearInterval(timer))
        if (path === '/events') hold(response, () => void response.end('data: end\n\n'))
        return
      }
      default:
        response.end(path === '/host' ? request.headers.host : path === '/health' ? 'fine' : label)
    }
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, answer)
  const sockets = new Set<Duplex>()
  const webSockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket: Duplex, head) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => undefined)
      webSocket.send(label)
      webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const stop = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    label,
    url: `http://127.0.0.1:${port}`,
    seen: () => seen,
    healthChecks: () => healthChecks,
    held: () => held.size,
    answerHealth: (status, body = '') => {
      health = { status, body }
    },
    release: () => {
      for (const finish of held) finish()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
