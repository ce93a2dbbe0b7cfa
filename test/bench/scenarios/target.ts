/**
 * The application behind the proxies, in a process of its own that may be ended and started again. Every
 * answer carries its label.
 *
 * | path        | what it does                                                       |
 * | ----------- | ------------------------------------------------------------------ |
 * | `/up`       | the health check                                                   |
 * | `/upload`   | reads the body and answers with the label if nothing of it was lost |
 * | `/download` | `DOWNLOAD_BYTES` of known length                                   |
 * | `/events`   | server-sent events for `EVENTS` × `EVENT_EVERY_MS`                 |
 * | `/socket`   | a WebSocket that greets with the label and echoes                  |
 *
 * Any other path is answered with the label.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { open as openInspector, url as inspectorUrl } from 'node:inspector'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { DOWNLOAD_BYTES, type TargetReady, type TargetTask, type ToTarget } from './target-task.ts'

const EVENTS = 10
const EVENT_EVERY_MS = 20
/** Longer than proxies keep a connection: it is they who close it. */
const KEEP_ALIVE_MS = 60_000

const run = ({ label, port }: TargetTask): void => {
  const half = Buffer.alloc(DOWNLOAD_BYTES / 2, 'd')
  const headers = { 'x-release': label }
  let leaving = false
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { url: path = '/' } = request
    switch (path) {
      case '/up':
        response.statusCode = leaving ? 503 : 200
        response.end(leaving ? 'leaving' : 'up')
        return
      case '/upload': {
        let bytes = 0
        request.on('data', (chunk: Buffer) => (bytes += chunk.length))
        request.on('end', () => {
          const complete = bytes === Number(request.headers['content-length'])
          response.statusCode = complete ? 200 : 400
          response.end(label)
        })
        return
      }
      case '/download':
        response.writeHead(200, { ...headers, 'content-length': DOWNLOAD_BYTES })
        response.write(half)
        response.end(half)
        return
      case '/events': {
        response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' })
        let left = EVENTS
        const timer = setInterval(() => {
          left -= 1
          if (left >= 0) response.write(`data: ${label}\n\n`)
          else response.end('data: end\n\n')
        }, EVENT_EVERY_MS)
        response.on('close', () => clearInterval(timer))
        return
      }
      default:
        response.end(label)
    }
  }
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    if (request.url !== '/upload') request.resume()
    answer(request, response)
  })
  const webSockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket: Duplex, head) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => undefined)
      webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }))
      webSocket.send(label)
    })
  })
  server.listen(port, '127.0.0.1', () => {
    openInspector(0, '127.0.0.1')
    const address = server.address()
    const bound = address === null || typeof address === 'string' ? port : address.port
    const ready: TargetReady = { port: bound, inspector: inspectorUrl() ?? '' }
    process.send?.(ready)
  })
  process.on('message', ({ type }: ToTarget) => {
    switch (type) {
      case 'close idle connections':
        server.closeIdleConnections()
        break
      case 'leave':
        leaving = true
        break
    }
    process.send?.('done')
  })
  // Politely: what was asked is answered, and only then it is gone.
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0))
  })
  process.on('disconnect', () => process.exit())
}

run(JSON.parse(process.argv[2] ?? '{}') as TargetTask)
