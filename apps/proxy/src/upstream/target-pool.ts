/**
 * The connections of this proxy to one target: a bounded number, kept alive between requests, and a
 * bounded queue of requests that wait for one. To a target of HTTP/2 they are lanes of a few sockets.
 *
 * The last one given back is the first one taken, so that a few warm connections carry the load and
 * the others go idle and close.
 */
import type { Limits, Release, TargetAddress } from '@gatehouse/domain'
import type { Destination } from '../http/forward-head.ts'
import type { TransportOwner, Transport } from '../transport/transport.ts'
import type { Wheel } from '../wheel.ts'
import { Http2Sessions } from './http2/sessions.ts'
import {
  UpstreamConnection,
  type UpstreamHome,
  type UpstreamSeeker,
} from './upstream-connection.ts'

export interface PoolParts {
  readonly wheel: Wheel
  readonly connect: (
    address: TargetAddress,
    owner: TransportOwner,
    tls: Release['tls'],
  ) => Transport
  readonly targetIdleMs: number
  readonly targetSilentMs: number
  readonly counters: UpstreamCounters
}

/** Sockets to all targets together. */
export interface UpstreamCounters {
  open: number
  opened: number
}

export interface PooledTarget {
  readonly address: TargetAddress
  readonly url: string
}

export class TargetPool implements UpstreamHome {
  readonly wheel: Wheel
  readonly url: string
  readonly http2: boolean
  readonly destination: Destination
  readonly #parts: PoolParts
  readonly #limits: Limits
  readonly #open: (owner: TransportOwner) => Transport
  readonly #onSocketClosed: () => void
  /** Undefined for a target of HTTP/1.1. */
  readonly #sessions: Http2Sessions | undefined
  readonly #idle: UpstreamConnection[] = []
  readonly #queue: UpstreamSeeker[] = []
  #connections = 0
  #closed = false

  constructor(
    parts: PoolParts,
    target: PooledTarget,
    release: Pick<Release, 'limits' | 'hostHeader' | 'tls'>,
  ) {
    const { address, url } = target
    const { limits, hostHeader, tls } = release
    this.wheel = parts.wheel
    this.url = url
    this.http2 = address.http2 === true
    this.destination = {
      hostHeader,
      authority: authorityOf(address),
      basePath: address.basePath,
    }
    this.#parts = parts
    this.#limits = limits
    const { counters, wheel, targetSilentMs: silentMs, targetIdleMs: idleMs } = parts
    const onOpened = (): void => {
      counters.open += 1
      counters.opened += 1
    }
    const onGone = (): void => {
      counters.open -= 1
    }
    const connect = (owner: TransportOwner): Transport => parts.connect(address, owner, tls)
    if (this.http2) {
      const scheme = address.kind === 'tcp' && address.tls ? 'https' : 'http'
      const sessions = new Http2Sessions({
        wheel,
        scheme,
        silentMs,
        idleMs,
        connect,
        onOpened,
        onGone,
      })
      this.#open = (owner) => sessions.open(owner)
      this.#sessions = sessions
      this.#onSocketClosed = () => {}
    } else {
      this.#open = (owner) => {
        onOpened()
        return connect(owner)
      }
      this.#onSocketClosed = onGone
    }
  }

  /** Connections, whatever they do, connecting, busy or idle: all but those that are upgraded. */
  get connections(): number {
    return this.#connections
  }

  get queued(): number {
    return this.#queue.length
  }

  /** An idle connection, at once. */
  take({ user }: UpstreamSeeker): UpstreamConnection | undefined {
    const connection = this.#idle.pop()
    connection?.wake(user)
    return connection
  }

  /**
   * Asks for a new connection or, when there are as many as may be, for the next one that is given
   * back. The user hears of it later. False when too many wait already.
   */
  request(user: UpstreamSeeker): boolean {
    if (this.#connections < this.#limits.connectionsMax) {
      this.#connect(user)
      return true
    }
    if (this.#queue.length >= this.#limits.queueMax) return false
    this.#queue.push(user)
    return true
  }

  /** The user no longer waits in the queue. */
  leave(user: UpstreamSeeker): void {
    const place = this.#queue.indexOf(user)
    if (place >= 0) this.#queue.splice(place, 1)
  }

  give(connection: UpstreamConnection): void {
    if (connection.transport.sharing === 'ending') {
      connection.discard()
      return
    }
    const next = this.#queue.shift()
    if (next !== undefined) {
      connection.resume()
      connection.reused = true
      connection.wake(next.user)
      next.onUpstreamReady(connection)
    } else if (this.#closed) connection.discard()
    else {
      connection.rest(this.#parts.targetIdleMs)
      this.#idle.push(connection)
    }
  }

  lose(connection: UpstreamConnection): void {
    this.#connections -= 1
    const place = this.#idle.indexOf(connection)
    if (place >= 0) this.#idle.splice(place, 1)
  }

  refill(): void {
    while (this.#queue.length > 0 && this.#connections < this.#limits.connectionsMax) {
      const next = this.#queue.shift()
      if (next !== undefined) this.#connect(next)
    }
  }

  onSocketClosed(): void {
    this.#onSocketClosed()
  }

  /** Closes what is idle now and what becomes idle later. */
  close(): void {
    this.#closed = true
    for (const connection of this.#idle.splice(0)) connection.discard()
    this.#sessions?.close()
  }

  #connect(user: UpstreamSeeker): void {
    this.#connections += 1
    // The connection holds itself through its socket until it is given back or closed.
    const connection = new UpstreamConnection(this, this.#open, user, this.#limits.connectMs)
    user.onConnecting(connection)
  }
}

/** RFC 9110 §7.2: the port is left out where the scheme implies it. A Unix socket has no name. */
const authorityOf = (address: TargetAddress): string => {
  if (address.kind === 'unix') return 'localhost'
  const { hostname, port, tls } = address
  const host = hostname.includes(':') ? `[${hostname}]` : hostname
  return port === (tls ? 443 : 80) ? host : `${host}:${port}`
}
