/**
 * One request and its response, over one connection to a target: it claims a target of the release,
 * waits for a connection if it must, has the request and the response relayed, and gives back what
 * it took, exactly once, in whatever way it ends.
 *
 * A client's connection has one exchange and uses it for one request after the other. Any call into
 * a transport, a pool or the client may end the exchange before it returns, so after each the code
 * asks whether its connection is still its own.
 */
import { LIMIT_DEFAULTS, type Limits } from '@gatehouse/domain'
import { FAILURES, type Failure } from '../http/failure.ts'
import { forwardedRequestHead } from '../http/forward-head.ts'
import type { ReleaseRuntime } from '../upstream/release-runtime.ts'
import type { TargetPool } from '../upstream/target-pool.ts'
import type {
  ConnectFailure,
  UpstreamConnection,
  UpstreamSeeker,
} from '../upstream/upstream-connection.ts'
import { NOWHERE, type Work } from '../upstream/work-list.ts'
import type { ClientSocket } from './client-socket.ts'
import type { ExchangeClient } from './exchange-client.ts'
import type { ServeContext } from './context.ts'
import { RequestRelay, TOO_LARGE } from './request-relay.ts'
import { ResponseRelay } from './response-relay.ts'
import { Tunnel } from './tunnel.ts'

/** `waiting`: for a connection. `busy`: on one. */
type Stage = 'none' | 'waiting' | 'busy'

export class Exchange implements UpstreamSeeker, Work {
  place = NOWHERE
  readonly #context: ServeContext
  readonly #client: ExchangeClient
  readonly #socket: ClientSocket
  readonly #request = new RequestRelay()
  readonly #response: ResponseRelay
  #stage: Stage = 'none'
  #release: ReleaseRuntime | undefined
  #pool: TargetPool | undefined
  /** The connection that is ours, or is being made for us. */
  #upstream: UpstreamConnection | undefined
  /** The head as sent to the target: it may have to be sent again. */
  #headText = ''
  #triedAgain = false
  #counted = false

  constructor(context: ServeContext, client: ExchangeClient) {
    this.#context = context
    this.#client = client
    this.#socket = client.socket
    this.#response = new ResponseRelay(client.socket)
  }

  /**
   * Takes on the request in `client.head`. What follows the head begins at `from` of the buffer; what
   * the exchange does not take of it, it has the client keep.
   */
  begin(release: ReleaseRuntime, buffer: Buffer, from: number, to: number): void {
    const { head } = this.#client
    const { requestBytesMax } = release.release.limits
    this.#request.begin(head, requestBytesMax)
    if (requestBytesMax !== 'unlimited' && head.contentLength > requestBytesMax) {
      this.#client.onFailed('body-too-large', false)
      return
    }
    this.#release = release
    this.#triedAgain = false
    this.#counted = false
    this.#response.begin(head)
    const pool = release.claim(this)
    this.#address(pool)
    const idle = pool.take(this)
    if (idle !== undefined) this.#send(idle, buffer, from, to)
    else {
      this.#socket.keep(buffer, from, to)
      this.#await(pool)
    }
  }

  /** Bytes of the client. Those that are not for this request are kept for the next. */
  onClientData(buffer: Buffer, length: number): void {
    const upstream = this.#upstream
    if (this.#stage !== 'busy' || upstream === undefined || this.#request.whole) {
      this.#socket.keep(buffer, 0, length)
      return
    }
    const end = this.#request.follow(buffer, 0, length)
    if (this.#refused(end)) return
    this.#socket.keep(buffer, end, length)
    this.#request.proceed(upstream.transport, buffer, 0)
    if (this.#upstream === upstream) this.#afterRequestBytes()
  }

  onClientDrain(): void {
    if (!this.#response.congested) return
    this.#response.congested = false
    this.#upstream?.resume()
    this.#armIdle()
  }

  /** FIN of the client: after a whole request it waits for its answer (RFC 9112 §9.6). */
  onClientEnd(): void {
    if (this.#stage === 'busy') this.#failIfCutShort()
  }

  /** The client's connection is gone. */
  onClientClose(): void {
    if (this.#stage === 'none') return
    this.#context.counters.abandoned += 1
    const upstream = this.#upstream
    const connecting = this.#stage === 'waiting' && upstream !== undefined
    if (!connecting) this.#pool?.leave(this)
    this.#leave()
    // A connection that is just being made will serve somebody else.
    if (connecting) upstream.letGo()
    else upstream?.abort()
  }

  /** The deadline that was armed last has passed. */
  onDeadline(): void {
    if (this.#stage === 'none') return
    if (this.#response.begun) this.#truncate()
    else if (this.#stage === 'waiting') this.#fail('queue-full')
    else if (this.#request.whole || this.#request.congested || this.#awaitsContinue) {
      this.#fail('response-timeout')
    } else this.#fail('request-timeout')
  }

  /** The release's drain is over. */
  cut(): void {
    if (this.#response.begun) this.#truncate()
    else this.#fail('drain-expired')
  }

  // What the connection to the target says.

  onConnecting(upstream: UpstreamConnection): void {
    this.#upstream = upstream
    // It has a deadline of its own for that.
    this.#socket.disarm()
  }

  onUpstreamReady(upstream: UpstreamConnection): void {
    const kept = this.#socket.takeKept()
    this.#send(upstream, kept, 0, kept.length)
  }

  onConnectFailed(failure: ConnectFailure, error: Error | undefined): void {
    this.#upstream = undefined
    const pool = this.#pool
    const other =
      failure === 'connect-timeout' || this.#triedAgain || pool === undefined
        ? undefined
        : this.#release?.otherTarget(pool)
    if (other === undefined) {
      this.#fail(failure, error)
      return
    }
    this.#triedAgain = true
    this.#context.counters.retried += 1
    this.#address(other)
    const idle = other.take(this)
    if (idle === undefined) this.#await(other)
    else this.onUpstreamReady(idle)
  }

  onUpstreamData(buffer: Buffer, length: number): void {
    const mayKeepClient = this.#request.whole && this.#client.mayContinue
    switch (this.#response.take(buffer, length, mayKeepClient)) {
      case 'more':
        this.#afterResponseBytes()
        return
      case 'complete':
        this.#countAnswer()
        this.#complete()
        return
      case 'upgraded':
        this.#countAnswer()
        this.#openTunnel()
        return
      case 'malformed':
        if (this.#response.begun) this.#truncate()
        else this.#fail('bad-answer')
        return
      case 'stopped':
        return
    }
  }

  onUpstreamDrain(): void {
    this.#request.congested = false
    this.#socket.blockReading(false)
    this.#armForRequest()
  }

  onUpstreamEnd(): void {
    if (this.#response.endsWithClose) this.#complete()
    else this.#onTargetGone(undefined)
  }

  onUpstreamClose(error: Error | undefined): void {
    this.#onTargetGone(error)
  }

  // The steps, in the order of a request's life.

  #address(pool: TargetPool): void {
    const { head, peer, requestId } = this.#client
    this.#pool = pool
    const now = this.#context.now()
    this.#headText = forwardedRequestHead(head, peer, pool.destination, requestId, now)
  }

  #await(pool: TargetPool): void {
    this.#stage = 'waiting'
    // HAProxy's `timeout queue`: to wait for a free connection is to wait for an answer.
    this.#socket.arm(this.#limits.responseMs)
    if (!pool.request(this)) this.#fail('queue-full')
  }

  #send(upstream: UpstreamConnection, buffer: Buffer, from: number, to: number): void {
    this.#stage = 'busy'
    this.#upstream = upstream
    const end = this.#request.follow(buffer, from, to)
    if (this.#refused(end)) return
    this.#socket.keep(buffer, end, to)
    this.#request.start(upstream.transport, this.#headText, buffer, from)
    if (this.#upstream === upstream) this.#afterRequestBytes()
  }

  #refused(end: number): boolean {
    if (end >= 0) return false
    if (this.#response.begun) this.#truncate()
    else this.#fail(end === TOO_LARGE ? 'body-too-large' : 'bad-request')
    return true
  }

  #afterRequestBytes(): void {
    if (this.#request.congested) this.#socket.blockReading(true)
    this.#armForRequest()
    if (this.#socket.halfClosed) this.#failIfCutShort()
  }

  /** RFC 9112 §8: the client has ended before its request was whole. */
  #failIfCutShort(): void {
    if (!this.#request.whole && !this.#response.begun) this.#fail('bad-request')
  }

  #armForRequest(): void {
    if (this.#response.begun) this.#armIdle()
    else if (this.#request.whole || this.#awaitsContinue) this.#socket.arm(this.#limits.responseMs)
    else this.#socket.arm(this.#limits.idleMs)
  }

  /** RFC 9110 §10.1.1: the client holds its body back until the target has said something. */
  get #awaitsContinue(): boolean {
    return this.#client.head.expectContinue && this.#request.untouched && !this.#response.continued
  }

  #afterResponseBytes(): void {
    const { status, begun, congested, keepsTarget } = this.#response
    if (!begun) {
      if (!this.#request.whole) this.#armForRequest()
      return
    }
    this.#countAnswer()
    if (congested) this.#upstream?.pause()
    this.#armIdle()
    // RFC 9112 §9.3: a target that refuses and closes reads no more, and to write on would make it
    // reset the connection, its answer included.
    if (!this.#request.whole && !keepsTarget && status >= 300) {
      this.#request.dropping = true
      this.#socket.blockReading(false)
    }
  }

  #armIdle(): void {
    const { stalledClientMs } = this.#context.limits
    this.#socket.arm(this.#response.congested ? stalledClientMs : this.#limits.idleMs)
  }

  #complete(): void {
    const { keepsClient, keepsTarget } = this.#response
    const { whole } = this.#request
    const upstream = this.#upstream
    const pool = this.#pool
    this.#leave()
    if (!whole) upstream?.abort()
    else if (keepsTarget && upstream?.closed === false) pool?.give(upstream)
    else upstream?.discard()
    this.#client.onAnswered(keepsClient && whole)
  }

  #openTunnel(): void {
    const upstream = this.#upstream
    const release = this.#release
    if (upstream === undefined || release === undefined) return
    const { halfClosedMs } = this.#context.limits
    const tunnel = new Tunnel(this.#client, release, upstream, halfClosedMs)
    release.upgrade(this, tunnel)
    this.#leave()
    this.#client.onUpgraded(tunnel)
    tunnel.begin()
  }

  /** The target has closed its connection before its answer was complete. */
  #onTargetGone(error: Error | undefined): void {
    const upstream = this.#upstream
    if (this.#response.begun) this.#truncate()
    else if (upstream !== undefined && this.#mayRepeat(upstream)) this.#repeat(upstream)
    else this.#fail('target-reset', error)
  }

  /**
   * RFC 9110 §9.2.2, RFC 9112 §9.3.1: only on a connection that may have been closed before the
   * request reached it, only while nothing has come back, and only what may be done twice.
   */
  #mayRepeat(upstream: UpstreamConnection): boolean {
    const { head } = this.#client
    const unanswered = upstream.reused && this.#response.silent && !this.#triedAgain
    return unanswered && !this.#request.hasBody && REPEATABLE.has(head.method)
  }

  #repeat(upstream: UpstreamConnection): void {
    this.#triedAgain = true
    this.#context.counters.retried += 1
    this.#upstream = undefined
    upstream.discard()
    if (this.#pool !== undefined) this.#await(this.#pool)
  }

  // The ways to end.

  #fail(failure: Failure, error?: Error): void {
    const upstream = this.#upstream
    const release = this.#release
    const pool = this.#pool
    const { whole } = this.#request
    pool?.leave(this)
    this.#leave()
    upstream?.abort()
    release?.countAnswer(FAILURES[failure].status)
    this.#context.onFailure({
      failure,
      requestId: this.#client.requestId,
      service: release?.service ?? '',
      release: release?.release.id ?? '',
      target: pool?.url ?? '',
      error,
    })
    this.#client.onFailed(failure, whole)
  }

  #truncate(): void {
    this.#context.counters.truncated += 1
    const upstream = this.#upstream
    this.#leave()
    upstream?.abort()
    this.#client.onTruncated()
  }

  /** Gives the claim back, and forgets everything about this request. */
  #leave(): void {
    const release = this.#release
    this.#stage = 'none'
    this.#release = undefined
    this.#pool = undefined
    this.#upstream = undefined
    this.#headText = ''
    this.#response.stop()
    this.#socket.disarm()
    this.#socket.blockReading(false)
    release?.leave(this)
  }

  #countAnswer(): void {
    if (this.#counted) return
    this.#counted = true
    this.#release?.countAnswer(this.#response.status)
  }

  get #limits(): Limits {
    return this.#release?.release.limits ?? LIMIT_DEFAULTS
  }
}

/** The idempotent methods of RFC 9110 §9.2.2, as far as they pass. */
const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
