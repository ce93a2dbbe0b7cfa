/** A proxy of the npm registry on one port, in front of one backend, with everything kept alive. */
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

export interface NodePeerTask {
  readonly peer: 'http-proxy-3' | '@fastify/http-proxy' | 'httpxy'
  /** Where its packages are installed. */
  readonly folder: string
  readonly port: number
  readonly backendPort: number
  readonly keptConnectionsMax: number
  readonly idleMs: number
}

/** As much of http-proxy-3 and of httpxy, which agree on it, as is used here. */
interface ProxyServer {
  readonly web: (request: IncomingMessage, response: ServerResponse) => unknown
  /** Of http-proxy-3 alone: httpxy takes these in another order, and no WebSockets here. */
  readonly ws: (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown
  readonly on: (event: 'error', listener: () => void) => void
}

interface Fastify {
  readonly register: (plugin: unknown, options: object) => unknown
  readonly listen: (options: object) => Promise<unknown>
}

const BACKLOG = 4_096
const HOST = '127.0.0.1'

// Written by `Processes.talkTo`.
const task = JSON.parse(process.argv[2] ?? '') as NodePeerTask
const { peer, folder, port, backendPort, keptConnectionsMax, idleMs } = task
const load = createRequire(join(folder, 'package.json'))
const backend = `http://${HOST}:${backendPort}`

const serveProxyServer = async (): Promise<void> => {
  const { createProxyServer } = load(peer) as {
    readonly createProxyServer: (options: object) => ProxyServer
  }
  const agent = new Agent({
    keepAlive: true,
    maxSockets: keptConnectionsMax,
    maxFreeSockets: keptConnectionsMax,
    scheduling: 'lifo',
  })
  const proxy = createProxyServer({ target: backend, agent, xfwd: true, ws: true })
  // Clients that leave in the middle are none of our business; what the load misses, it counts.
  proxy.on('error', () => undefined)
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
    proxy.web(request, response)
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    proxy.ws(request, socket, head),
  )
  server.listen(port, HOST, BACKLOG)
  await once(server, 'listening')
}

const serveFastify = async (): Promise<void> => {
  const fastify = (load('fastify') as (options: object) => Fastify)({
    keepAliveTimeout: 0,
    logger: false,
  })
  fastify.register(load('@fastify/http-proxy'), {
    upstream: backend,
    undici: { connections: keptConnectionsMax, pipelining: 1, keepAliveTimeout: idleMs },
    replyOptions: {
      rewriteRequestHeaders: (
        request: { readonly ip: string; readonly headers: { readonly host: string } },
        headers: object,
      ) => ({
        ...headers,
        host: request.headers.host,
        'x-forwarded-for': request.ip,
        'x-forwarded-proto': 'http',
        'x-forwarded-host': request.headers.host,
      }),
    },
  })
  await fastify.listen({ port, host: HOST, backlog: BACKLOG })
}

switch (peer) {
  case 'http-proxy-3':
  case 'httpxy':
    await serveProxyServer()
    break
  case '@fastify/http-proxy':
    await serveFastify()
    break
}
process.on('disconnect', () => process.exit())
process.send?.('ready')
