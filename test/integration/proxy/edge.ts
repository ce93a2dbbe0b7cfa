/**
 * A data plane in this process, on a free port, with raw clients. When a test lets go of it, nothing
 * may be left: no socket on either side, and no work in flight.
 */
import { connect, type Socket } from 'node:net'
import { inject } from 'vitest'
import {
  HEALTH_DEFAULTS,
  LIMIT_DEFAULTS,
  type Limits,
  type Release,
  type Route,
  type Traffic,
} from '@gatehouse/domain'
import {
  createDataPlane,
  type DataPlane,
  type DataPlaneOptions,
} from '../../../apps/proxy/src/data-plane.ts'
import { chooseSockets } from '../../../apps/proxy/src/transport/choose.ts'
import { eventually } from '../../support/eventually.ts'

export interface Edge extends AsyncDisposable {
  readonly plane: DataPlane
  readonly port: number
  /** A connection of its own, closed at the end. Loopback has more addresses than the usual one. */
  client(from?: string): RawClient
  /** Sends one request on a connection of its own and reads until the proxy closes it. */
  ask(request: string): Promise<string>
  route(route: RouteSketch): void
}

/** A route as tests speak of it: by default one running service `web` for every host. */
export interface RouteSketch {
  readonly service?: string
  readonly hosts?: readonly string[]
  readonly traffic?: Traffic
  readonly revision?: number
  /** URLs; none: no release is active. */
  readonly targets?: readonly string[]
  readonly ejected?: readonly string[]
  readonly drains?: Route['drains']
  readonly limits?: Partial<Limits>
  readonly release?: Partial<Release>
}

export const startEdge = async (options: Partial<DataPlaneOptions> = {}): Promise<Edge> => {
  const { sockets } = await chooseSockets(inject('transport'))
  const plane = createDataPlane({ log: { debug: () => {}, warn: () => {} }, sockets, ...options })
  const { port } = await plane.listen({ host: '127.0.0.1', port: 0 })
  const clients: RawClient[] = []
  const services = new Set<string>()

  const client = (localAddress = '127.0.0.1'): RawClient => {
    const opened = new RawClient(
      connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true }),
    )
    clients.push(opened)
    return opened
  }

  return {
    plane,
    port,
    client,
    ask: async (request) => {
      const asking = client()
      asking.send(request)
      await eventually(`an end of the answer to ${request.slice(0, 40)}`, () => asking.over)
      return asking.text
    },
    route: (sketch) => {
      const route = routeOf(sketch)
      services.add(route.service)
      plane.setRoute(route.service, route)
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of clients) each.socket.destroy()
      await eventually('no client connection left', () => plane.counters.clients.open === 0)
      await eventually('no claim left', () => plane.work().every(isIdle))
      for (const service of services) plane.setRoute(service, undefined)
      await eventually('no connection to a target left', () => plane.counters.upstreams.open === 0)
      await plane.finish(0)
    },
  }
}

const isIdle = ({ requests, upgraded }: { requests: number; upgraded: number }): boolean =>
  requests === 0 && upgraded === 0

const routeOf = (sketch: RouteSketch): Route => {
  const { service = 'web', hosts = ['default'], revision = 1, targets = [] } = sketch
  return {
    service,
    hosts,
    traffic: sketch.traffic ?? { mode: 'running' },
    drains: sketch.drains ?? [],
    active:
      targets.length === 0
        ? undefined
        : {
            revision,
            ejected: sketch.ejected ?? [],
            release: {
              id: `r${revision}`,
              hosts,
              targets: targets.map((url) => ({ url })),
              health: HEALTH_DEFAULTS,
              drainMs: 30_000,
              limits: { ...LIMIT_DEFAULTS, ...sketch.limits },
              hostHeader: 'preserve',
              metadata: {},
              ...sketch.release,
            },
          },
  }
}

/** A socket whose every byte the test sees. It keeps its own half open until it is told otherwise. */
export class RawClient {
  readonly socket: Socket
  /** Everything received so far, as latin1. */
  text = ''
  /** FIN has come. */
  ended = false
  closed = false
  error: Error | undefined
  #discards = false
  bytes = 0

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.bytes += chunk.length
      if (!this.#discards) this.text += chunk.toString('latin1')
    })
    socket.on('end', () => (this.ended = true))
    socket.on('error', (error) => (this.error = error))
    socket.on('close', () => (this.closed = true))
  }

  get over(): boolean {
    return this.ended || this.closed
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Counts what comes from now on, and forgets it. */
  discard(): void {
    this.#discards = true
  }

  async sees(part: string): Promise<string> {
    await eventually(`"${part}" came`, () => {
      if (this.text.includes(part)) return true
      throw new Error(`so far: ${JSON.stringify(this.text)}`)
    })
    return this.text
  }
}

/** A minimal request for `host`, with more lines if given. */
export const get = (path = '/', ...lines: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: app.test', ...lines, '', ''].join('\r\n')

/** The same, and the connection is to be closed after it. */
export const getAndClose = (path = '/', ...lines: readonly string[]): string =>
  get(path, 'Connection: close', ...lines)

export const statusOf = (answer: string): number => Number(answer.slice(9, 12))

export const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4)
