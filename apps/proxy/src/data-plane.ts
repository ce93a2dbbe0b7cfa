/**
 * The proxy's data plane, put together: it listens, serves by the routes it was given, and knows its
 * work in flight. Whoever controls it calls `setRoute`; nothing in here knows of logs or Redis.
 */
import {
  createHostTable,
  matchHost,
  moveHosts,
  type HostTable,
  type Route,
} from '@gatehouse/domain'
import { createPeer, type Peer } from './http/forward-head.ts'
import { AwaitedHandshake, type HandshakeHome } from './serve/awaited-handshake.ts'
import { Challenges } from './serve/challenges.ts'
import type { ConnectionPlaces } from './serve/connection-places.ts'
import { ConnectionLimits, type ConnectionRefusal } from './serve/connection-limits.ts'
import { OWN_READERS } from './http/head-readers.ts'
import { withSecondOpinion, type Disagreement } from './http/second-opinion.ts'
import { Http2Session } from './http2/session.ts'
import { ClientConnection } from './serve/connection.ts'
import type { FailureReport, ServeContext } from './serve/context.ts'
import { createCounters, type Counters } from './serve/counters.ts'
import { BACKLOG, SERVE_LIMITS, type ServeLimits } from './serve/limits.ts'
import { createRequestIds } from './serve/request-id.ts'
import { ServiceRuntime, type ServiceParts } from './serve/service-runtime.ts'
import { netSockets } from './transport/net.ts'
import { ACME_TLS, createCertificates, type Certificates } from './tls/certificates.ts'
import type { TlsTerms } from './transport/tls-terms.ts'
import type { Listener, Sockets, TargetTrust, Transport } from './transport/transport.ts'
import { createTrust } from './trusted-peers.ts'
import type { ReleaseRuntime } from './upstream/release-runtime.ts'
import { createWheel } from './wheel.ts'

export interface DataPlane {
  /** Follows one service's route; undefined takes it out. What it means holds when this returns. */
  setRoute(service: string, route: Route | undefined): void
  readonly hosts: HostTable<ServiceRuntime>
  /** Every release with work in flight or a drain. */
  work(): readonly ReleaseWork[]
  /** Answers given so far, by release; as long as the release is active, drains or has work. */
  answers(): readonly ReleaseAnswers[]
  /** May be called for several addresses. Port 0 takes a free one. */
  listen(address: ListenAddress): Promise<ListenAddress>
  /** The same for clients that speak TLS. */
  listenSecure(address: ListenAddress): Promise<ListenAddress>
  /** What TLS clients are answered with, and authorities. They may change at any time. */
  readonly certificates: Certificates
  readonly challenges: Challenges
  /** Takes no new connections, and frees the port. Those that are open go on. */
  stopAccepting(): void
  /** Stops accepting, lets answers end for `graceMs` at most, and cuts what is left then. */
  finish(graceMs: number): Promise<{ readonly cut: number }>
  readonly counters: Counters
}

export interface ListenAddress {
  readonly host: string
  readonly port: number
  /** A bound socket that was handed down: host and port are its own then. */
  readonly fd?: number
}

export interface ReleaseWork {
  readonly service: string
  readonly release: string
  readonly revision: number
  readonly requests: number
  readonly upgraded: number
  /** Ended at the deadline of its newest drain. */
  readonly cut: number
  readonly draining: boolean
}

export interface ReleaseAnswers {
  readonly service: string
  readonly release: string
  readonly revision: number
  /** By the first digit of the status; index 0 is unused. */
  readonly answers: readonly number[]
}

/** A logger as pino is one. */
export interface DataPlaneLog {
  debug(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface DataPlaneOptions {
  readonly log: DataPlaneLog
  /** CIDR ranges of proxies in front of us, whose X-Forwarded-* are believed. */
  readonly trustedPeers?: readonly string[]
  /** Unix time in milliseconds. */
  readonly now?: () => number
  readonly limits?: Partial<ServeLimits>
  /** `node:net` when it is left out. */
  readonly sockets?: Sockets
  /** Has llhttp read every head too, and refuses what it reads differently. */
  readonly paranoid?: boolean
  /** Clients may speak HTTP/2: they may unless it is false. */
  readonly http2?: boolean
  /** For `https` targets. */
  readonly targetTrust?: TargetTrust
  /** A draining release has no work left: presence may say so at once. */
  readonly onDrained?: (work: ReleaseWork) => void
}

/** A client's, in whichever protocol. */
interface Connection {
  /** The proxy ends: it may end what it is at. */
  retire(): void
  /** True when a request was cut. */
  cut(): boolean
  destroy(): void
}

export const createDataPlane = (options: DataPlaneOptions): DataPlane => {
  const { log, now = Date.now, paranoid = false, sockets = netSockets, targetTrust = {} } = options
  const limits = { ...SERVE_LIMITS, ...options.limits }
  const isTrusted = createTrust(options.trustedPeers ?? [])
  const hosts = createHostTable<ServiceRuntime>()
  const services = new Map<string, ServiceRuntime>()
  const releases = new Set<ReleaseRuntime>()
  const connections = new Set<Connection>()
  const connectionLimits = new ConnectionLimits(limits)
  const listeners: Listener[] = []
  const counters = createCounters()
  const wheel = createWheel({ now: () => performance.now() })
  wheel.start()

  const onDisagreement = (disagreement: Disagreement): void => {
    counters.disagreements[disagreement.message] += 1
    log.warn(disagreement, 'two parsers read a head differently, and it was refused')
  }

  const certificates = createCertificates({
    applicationProtocols: APPLICATION_PROTOCOLS,
    clientAuthorityOf: (host) => matchHost(hosts, host)?.ingress?.clientCa,
    onUnusable: (certificate, problem) => warnOfCertificate(certificate, problem),
  })
  const secureTerms: TlsTerms = {
    choose: certificates.choose,
    handshakeMs: limits.handshakeMs,
    onHandshake: (outcome) => {
      counters.handshakes[outcome] += 1
    },
  }

  const context: ServeContext = {
    hosts,
    challenges: new Challenges(),
    securePort: undefined,
    wheel,
    limits,
    counters,
    http2: options.http2 ?? true,
    readers: paranoid ? withSecondOpinion(OWN_READERS, onDisagreement) : OWN_READERS,
    now,
    nextRequestId: createRequestIds(),
    onFailure: (report) => log.debug(fieldsOf(report), 'a request failed'),
    stopping: false,
  }

  const parts: ServiceParts = {
    releases,
    pausedRequestsMax: limits.pausedRequestsMax,
    wheel,
    targetIdleMs: limits.targetIdleMs,
    targetSilentMs: limits.targetSilentMs,
    counters: counters.upstreams,
    connect: (address, owner, tls) => sockets.connect(address, owner, { ...targetTrust, tls }),
    onIdle: (runtime) => {
      const service = services.get(runtime.service)
      service?.forgetIfUnused(runtime)
      if (service !== undefined) forgetIfGone(service)
      if (runtime.draining) options.onDrained?.(workOf(runtime))
    },
    onCut: (runtime, cut) => log.warn({ ...workOf(runtime), cut }, 'a drain deadline cut work'),
  }

  const forgetIfGone = (service: ServiceRuntime): void => {
    if (service.gone && services.get(service.name) === service) services.delete(service.name)
  }

  const setRoute = (name: string, route: Route | undefined): void => {
    let service = services.get(name)
    if (service === undefined) {
      if (route === undefined) return
      service = new ServiceRuntime(name, parts)
      services.set(name, service)
    }
    moveHosts(hosts, service.route?.hosts ?? [], route?.hosts ?? [], service)
    service.apply(route)
    forgetIfGone(service)
  }

  /** An attack must not fill the disk as well, so one line a minute says it. */
  const warnOfRefusal = seldom((refusal: ConnectionRefusal, address: string): void => {
    log.warn({ address, refused: counters.clients.refused }, REFUSAL_WARNINGS[refusal])
  })
  const warnOfCertificate = seldom((certificate: string, problem: string): void => {
    log.warn({ certificate, problem }, 'a certificate cannot be used, and its clients are refused')
  })

  /** Counts the client; undefined for one that may not stay. */
  const admit = (transport: Transport): Peer | undefined => {
    const peer = createPeer(transport.remoteAddress, 'http', isTrusted(transport.remoteAddress))
    const refusal = connectionLimits.enter(peer)
    if (refusal === undefined) {
      counters.clients.accepted += 1
      counters.clients.open += 1
      return peer
    }
    counters.clients.refused[refusal] += 1
    warnOfRefusal(refusal, peer.address)
    transport.reset()
    return undefined
  }

  const forget = (connection: Connection, peer: Peer): void => {
    connectionLimits.leave(peer)
    counters.clients.open -= 1
    connections.delete(connection)
    if (context.stopping && connections.size === 0) onEmpty()
  }

  const serveHttp2 = (transport: Transport, peer: Peer): Http2Session => {
    counters.http2.connections += 1
    const session = new Http2Session(context, transport, peer, (gone) => forget(gone, peer))
    connections.add(session)
    return session
  }

  const serve = (transport: Transport, peer: Peer): void => {
    const places: ConnectionPlaces<Connection> = {
      onGone: (connection) => forget(connection, peer),
      onHttp2: (connection, bytes) => {
        connections.delete(connection)
        serveHttp2(transport, peer).onData(bytes, bytes.length)
      },
    }
    connections.add(new ClientConnection(context, transport, peer, places))
  }

  const accept = (transport: Transport): void => {
    const peer = admit(transport)
    if (peer !== undefined) serve(transport, peer)
  }

  const acceptSecure = (transport: Transport): void => {
    const peer = admit(transport)
    if (peer === undefined) return
    const home: HandshakeHome = {
      onSecure: (handshake, session) => {
        // RFC 8737 §3: the handshake was all that was wanted.
        if (session.applicationProtocol === ACME_TLS) {
          handshake.destroy()
          return
        }
        connections.delete(handshake)
        const secure = createPeer(peer.address, 'https', peer.trusted, session)
        if (session.applicationProtocol === HTTP2) serveHttp2(transport, secure)
        else serve(transport, secure)
      },
      onGone: (handshake) => forget(handshake, peer),
    }
    connections.add(new AwaitedHandshake(home, transport))
  }
  let onEmpty = (): void => {}

  const stopAccepting = (): void => {
    for (const listener of listeners.splice(0)) listener.close()
  }

  /** Resolves when the last client has gone, or after `ms`. */
  const empty = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (connections.size === 0) {
        resolve()
        return
      }
      const timer = setTimeout(resolve, ms)
      onEmpty = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const finish = async (graceMs: number): Promise<{ readonly cut: number }> => {
    context.stopping = true
    stopAccepting()
    for (const connection of connections) connection.retire()
    for (const runtime of releases) runtime.finish(graceMs)
    await empty(graceMs)
    let cut = 0
    for (const connection of connections) if (connection.cut()) cut += 1
    await empty(limits.lingerMs)
    for (const connection of connections) connection.destroy()
    for (const runtime of releases) runtime.close()
    wheel.stop()
    return { cut }
  }

  const listen = async (
    address: ListenAddress,
    onAccepted: (transport: Transport) => void,
    terms?: TlsTerms,
  ): Promise<ListenAddress> => {
    const listener = await sockets.listen(
      { ...address, backlog: BACKLOG, reusePort: true, tls: terms },
      onAccepted,
    )
    listeners.push(listener)
    return { host: listener.host, port: listener.port }
  }

  return {
    setRoute,
    hosts,
    work: () => [...releases].filter((runtime) => runtime.draining || !runtime.idle).map(workOf),
    answers: () =>
      [...releases].map(({ service, release, revision, answers }) => ({
        service,
        release: release.id,
        revision,
        answers,
      })),
    listen: (address) => listen(address, accept),
    listenSecure: async (address) => {
      const bound = await listen(address, acceptSecure, secureTerms)
      context.securePort ??= bound.port
      return bound
    },
    certificates,
    challenges: context.challenges,
    stopAccepting,
    finish,
    counters,
  }
}

const HTTP2 = 'h2'

/** What is spoken over TLS, the preferred one first. */
const APPLICATION_PROTOCOLS: readonly string[] = [HTTP2, 'http/1.1']

const WARNING_EVERY_MS = 60_000

/** Says it once a minute at most. */
const seldom = <Arguments extends readonly unknown[]>(
  say: (...about: Arguments) => void,
): ((...about: Arguments) => void) => {
  let quietUntil = 0
  return (...about) => {
    if (performance.now() < quietUntil) return
    quietUntil = performance.now() + WARNING_EVERY_MS
    say(...about)
  }
}

const REFUSAL_WARNINGS: Readonly<Record<ConnectionRefusal, string>> = {
  total: 'connections are refused: there are as many as GATEHOUSE_CONNECTIONS_MAX lets in',
  address:
    'connections are refused: one address has as many as GATEHOUSE_CONNECTIONS_PER_ADDRESS_MAX lets in; a proxy in front belongs into GATEHOUSE_TRUSTED_PROXIES',
}

const workOf = (runtime: ReleaseRuntime): ReleaseWork => ({
  service: runtime.service,
  release: runtime.release.id,
  revision: runtime.revision,
  requests: runtime.requests.size,
  upgraded: runtime.upgraded.size,
  cut: runtime.cut,
  draining: runtime.draining,
})

const fieldsOf = ({ error, ...report }: FailureReport): object => ({
  ...report,
  ...(error === undefined ? {} : { reason: error.message }),
})
