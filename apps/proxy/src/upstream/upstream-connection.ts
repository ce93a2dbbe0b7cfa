/**
 * One socket to a target, or one lane of a shared connection to it. It is connecting, or busy with the
 * one user it has, or idle in its pool.
 *
 * It knows nothing of HTTP: it passes events to its user, and turns everything that may not happen
 * to an idle socket (bytes, FIN, too long a wait) into its end.
 */
import { Timer, type TimerOwner, type Wheel } from '../wheel.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'
import { NOT_HTTP2 } from './http2/session.ts'

export type ConnectFailure =
  'connect-refused' | 'connect-failed' | 'tls-failed' | 'not-http2' | 'connect-timeout'

/** Who holds a connection that is made. */
export interface UpstreamUser {
  onUpstreamData(buffer: Buffer, length: number): void
  onUpstreamDrain(): void
  /** The target has sent its last byte. */
  onUpstreamEnd(): void
  onUpstreamClose(error: Error | undefined): void
}

/** Who waits for a connection. */
export interface UpstreamSeeker {
  /** Who will hold it. */
  readonly user: UpstreamUser
  /** A new connection is being made for it. */
  onConnecting(connection: UpstreamConnection): void
  onUpstreamReady(connection: UpstreamConnection): void
  /** It will not come: nothing was sent. */
  onConnectFailed(failure: ConnectFailure, error: Error | undefined): void
}

/** What a connection owes its pool. */
export interface UpstreamHome {
  readonly wheel: Wheel
  /** It is connected, and the user it was meant for has left. */
  give(connection: UpstreamConnection): void
  /** It no longer counts. Its user has not heard of it yet. */
  lose(connection: UpstreamConnection): void
  /** After `lose`, once the user has heard: somebody else may take its place. */
  refill(): void
  /** The socket itself is closed. */
  onSocketClosed(): void
}

export type OpenTransport = (owner: TransportOwner) => Transport

export class UpstreamConnection implements TransportOwner, TimerOwner {
  readonly transport: Transport
  user: UpstreamUser | undefined
  /** It has carried a request before, so the target may have closed it by now. */
  reused = false
  closed = false
  readonly #home: UpstreamHome
  readonly #timer: Timer
  #connected = false
  /** For whom it is being made. */
  #seeker: UpstreamSeeker | undefined
  #paused = false
  #pooled = true

  constructor(home: UpstreamHome, open: OpenTransport, seeker: UpstreamSeeker, connectMs: number) {
    this.#home = home
    this.#seeker = seeker
    this.#timer = new Timer(this)
    this.transport = open(this)
    home.wheel.arm(this.#timer, connectMs)
  }

  /** While it is being made: it will serve somebody else. */
  letGo(): void {
    this.#seeker = undefined
  }

  /** Waits in the pool for the next request, for `idleMs` at most. */
  rest(idleMs: number): void {
    this.user = undefined
    this.reused = true
    this.resume()
    this.#home.wheel.arm(this.#timer, idleMs)
  }

  /** Leaves the pool for a request. */
  wake(user: UpstreamUser): void {
    this.user = user
    this.#home.wheel.disarm(this.#timer)
  }

  /** It is upgraded: it serves nobody else from now on, and somebody else may take its place. */
  leavePool(): void {
    if (this.closed) return
    this.#pooled = false
    this.#home.lose(this)
    this.#home.refill()
  }

  /** Nobody needs it any more: it closes when what is queued has gone out, or after `withinMs`. */
  retire(withinMs: number): void {
    this.user = undefined
    this.transport.end()
    this.#home.wheel.arm(this.#timer, withinMs)
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.transport.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.transport.resume()
  }

  /** Closes it, with nothing under way. Its user is let go and hears nothing. */
  discard(): void {
    if (this.closed) return
    this.#leave()
    this.transport.destroy()
    this.#home.refill()
  }

  /** Closes it with a request under way, so that the target cannot take our end for half a close. */
  abort(): void {
    if (this.closed) return
    this.#leave()
    this.transport.reset()
    this.#home.refill()
  }

  onConnect(): void {
    if (this.closed) return
    this.#connected = true
    this.reused = this.transport.sharing === 'used'
    this.#home.wheel.disarm(this.#timer)
    const seeker = this.#seeker
    this.#seeker = undefined
    this.user = seeker?.user
    if (seeker === undefined) this.#home.give(this)
    else seeker.onUpstreamReady(this)
  }

  onData(buffer: Buffer, length: number): void {
    // RFC 9112 §9.2: bytes that nobody asked for belong to no request; the socket is worth nothing.
    if (this.user === undefined) this.discard()
    else this.user.onUpstreamData(buffer, length)
  }

  onDrain(): void {
    this.user?.onUpstreamDrain()
  }

  onEnd(): void {
    if (this.user === undefined) this.discard()
    else this.user.onUpstreamEnd()
  }

  onClose(error?: Error): void {
    this.#home.onSocketClosed()
    if (this.closed) return
    const { user } = this
    const seeker = this.#seeker
    this.#leave()
    if (this.#connected) user?.onUpstreamClose(error)
    else seeker?.onConnectFailed(connectFailureOf(error), error)
    this.#home.refill()
  }

  /** It took too long to connect, or nobody needed it. */
  onDeadline(): void {
    const seeker = this.#seeker
    this.#leave()
    this.transport.destroy()
    seeker?.onConnectFailed('connect-timeout', undefined)
    this.#home.refill()
  }

  #leave(): void {
    this.closed = true
    this.user = undefined
    this.#seeker = undefined
    this.#home.wheel.release(this.#timer)
    if (this.#pooled) this.#home.lose(this)
  }
}

/** A Unix socket that is not there is as good as a port that nobody listens on. */
const REFUSALS: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOENT'])
/** The steps before TLS begins. */
const BEFORE_TLS: ReadonlySet<unknown> = new Set(['connect', 'getaddrinfo', 'queryA', 'queryAaaa'])

const connectFailureOf = (error: Error | undefined): ConnectFailure => {
  if (error === undefined || !('code' in error)) return 'connect-failed'
  if (REFUSALS.has(error.code)) return 'connect-refused'
  if (error.code === NOT_HTTP2) return 'not-http2'
  return 'syscall' in error && BEFORE_TLS.has(error.syscall) ? 'connect-failed' : 'tls-failed'
}
