/**
 * The example application: small enough to read, busy enough to watch a deploy by. It answers with
 * its label, so that every answer says which release it came from. It needs nothing but Node:
 *
 *     PORT=4001 LABEL=blue node examples/hello/server.ts
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { env } from 'node:process'
import type { Duplex } from 'node:stream'
import { serveWebSocket } from './web-socket.ts'

const port = Number(env['PORT'] ?? '4001')
const label = env['LABEL'] ?? 'hello'
const chunks = 4
const chunkEveryMs = 150
const slowMs = 300
const slowMsMax = 600_000
const eventEveryMs = 1_000

/** `/up` is asked by health checks, `/ws` is a WebSocket; what is not listed is answered with the label. */
const pages: Readonly<
  Record<string, (request: IncomingMessage, response: ServerResponse) => void>
> = {
  '/up': (_, response) => text(response, 'ok'),
  '/echo': echo,
  '/stream': stream,
  '/slow': slow,
  '/sse': events,
}

const server = createServer((request, response) => {
  response.setHeader('x-release', label)
  const page = pages[pathOf(request)]
  if (page === undefined) text(response, `${label}\n`)
  else page(request, response)
})

const webSockets = new Set<Duplex>()
server.on('upgrade', (request, socket: Duplex) => {
  webSockets.add(socket)
  socket.on('close', () => webSockets.delete(socket))
  if (pathOf(request) === '/ws') serveWebSocket(request, socket, label)
  else socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
})

server.listen(port, '127.0.0.1', () => say(`${label} listens on http://127.0.0.1:${port}`))
server.on('error', (error) => {
  say(`${label} cannot listen on port ${port}: ${error.message}`)
  process.exitCode = 1
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close()
    // Streams that never end by themselves end with us.
    server.closeAllConnections()
    for (const socket of webSockets) socket.destroy()
  })
}

/** The body as it came. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  const type = request.headers['content-type']
  if (type !== undefined) response.setHeader('content-type', type)
  request.pipe(response)
  request.on('error', () => response.destroy())
}

/** Four chunks, one after the other. */
function stream(_: IncomingMessage, response: ServerResponse): void {
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  every(response, chunkEveryMs, (count) => {
    response.write(`${label} ${count}\n`)
    return count < chunks
  })
}

/** Half of the answer at once, the other half after `?ms=`. */
function slow(request: IncomingMessage, response: ServerResponse): void {
  const asked = Number(new URL(request.url ?? '/', 'http://hello').searchParams.get('ms') ?? slowMs)
  const ms = asked >= 0 && asked <= slowMsMax ? asked : slowMs
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.write(`${label} begins\n`)
  const timer = setTimeout(() => response.end(`${label} ends\n`), ms)
  response.on('close', () => clearTimeout(timer))
}

/** Server-sent events, one a second, until somebody hangs up. */
function events(_: IncomingMessage, response: ServerResponse): void {
  response.setHeader('content-type', 'text/event-stream')
  response.setHeader('cache-control', 'no-store')
  every(response, eventEveryMs, (count) => {
    response.write(`id: ${count}\ndata: ${label} ${count}\n\n`)
    return true
  })
}

/** Calls `write` with 1, 2, 3 … until it says that this was the last, or nobody listens any more. */
function every(response: ServerResponse, ms: number, write: (count: number) => boolean): void {
  let count = 1
  const step = (): void => {
    if (write(count)) return
    clearInterval(timer)
    response.end()
  }
  const timer = setInterval(() => {
    count += 1
    step()
  }, ms)
  response.on('close', () => clearInterval(timer))
  step()
}

function text(response: ServerResponse, body: string): void {
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.end(body)
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/'
}

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`)
}
