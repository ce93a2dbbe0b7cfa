/**
 * One request and its response, over one connection to a target: it claims the target (claim.ts), has
 * the request and the response relayed, and gives back what it took, in whatever way it ends.
 *
 * A client's connection has one exchange and uses it for one request after the other. Any call into
 * a transport, a pool or the client may end the exchange before it returns, so after each the code
 * asks whether its connection is still its own.
 */
import { FAILURES, type Failure } from '../http/failure.ts'
import type { ReleaseRuntime } from '../upstream/release-runtime.ts'
import type { UpstreamConnection } from '../upstream/upstream-connection.ts'
import { Claim, type ClaimHolder } from './claim.ts'
import type { ClientWay } from './client-way.ts'
import type { ExchangeClient } from './exchange-client.ts'
import type { ServeContext } from './context.ts'
import { ownFieldsOf } from './ingress.ts'
import { RequestRelay, TOO_LARGE } from './request-relay.ts'
import type { ResponseRelay } from './response-relay.ts'
import { Tunnel } from './tunnel.ts'
import { WEBSOCKET, isHandshake } from './websocket/handshake.ts'
import { WebSocketTunnel } from './websocket/web-socket-tunnel.ts'

export class Exchange implements ClaimHolder {
  readonly #context: ServeContext
  readonly #client: ExchangeClient
  readonly #socket: ClientWay
  readonly #request: RequestRelay
  readonly #response: ResponseRelay
  readonly #claim: Claim
  #counted = false

  constructor(context: ServeContext, client: ExchangeClient) {
    this.#context = context
    this.#client = client
    this.#socket = client.socket
    this.#request = new RequestRelay(context.limits, client.framesByStream)
    this.#response = client.response
    this.#claim = new Claim(context, client, this)
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
    if (head.upgrade === WEBSOCKET && !isHandshake(head)) {
      this.#client.onFailed('bad-handshake', true)
      return
    }
    if (head.upgrade === WEBSOCKET && !release.opensWebSockets) {
      this.#client.onFailed('no-web-socket', true)
      return
    }
    this.#counted = false
    this.#response.begin(head, ownFieldsOf(release.release.ingress, head, this.#client.peer))
    const idle = this.#claim.begin(release)
    if (idle !== undefined) this.#send(idle, buffer, from, to)
    else {
      this.#socket.keep(buffer, from, to)
      this.#claim.wait()
    }
  }

  /** Bytes of the client. Those that are not for this request are kept for the next. */
  onClientData(buffer: Buffer, from: number, to: number): void {
    const { upstream, stage } = this.#claim
    if (stage !== 'held' || upstream === undefined || this.#request.whole) {
      this.#socket.keep(buffer, from, to)
      return
    }
    const end = this.#request.follow(buffer, from, to, this.#socket.halfClosed)
    if (this.#refused(end)) return
    if (this.#request.tooSlow && !this.#response.begun) {
      this.#fail('request-timeout')
      return
    }
    this.#socket.keep(buffer, end, to)
    this.#request.proceed(upstream.transport, buffer, from)
    if (this.#claim.upstream === upstream) this.#afterRequestBytes()
  }

  onClientDrain(): void {
    if (!this.#response.congested) return
    this.#response.congested = false
    this.#claim.upstream?.resume()
    this.#armIdle()
  }

  /** FIN of the client: after a whole request it waits for its answer (RFC 9112 §9.6). */
  onClientEnd(): void {
    if (this.#claim.stage === 'held') this.#failIfCutShort()
  }

  /** The client's connection is gone. */
  onClientClose(): void {
    if (this.#claim.stage === 'none') return
    this.#context.counters.abandoned += 1
    this.#response.stop()
    this.#claim.abandon()
  }

  /** The deadline that was armed last has passed. */
  onDeadline(): void {
    const { stage } = this.#claim
    if (stage === 'none') return
    if (this.#response.begun) this.#truncate()
    else if (stage === 'waiting') this.#fail('queue-full')
    else if (this.#request.whole || this.#request.congested || this.#awaitsContinue) {
      this.#fail('response-timeout')
    } else this.#fail('request-timeout')
  }

  /** The release's drain is over. */
  cut(): void {
    if (this.#response.begun) this.#truncate()
    else this.#fail('drain-expired')
  }

  onClaimed(upstream: UpstreamConnection): void {
    const kept = this.#socket.takeKept()
    this.#send(upstream, kept, 0, kept.length)
  }

  onUnclaimed(failure: Failure, error?: Error): void {
    this.#fail(failure, error)
  }

  // What the connection to the target says.

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
    this.#request.flow()
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

  #send(upstream: UpstreamConnection, buffer: Buffer, from: number, to: number): void {
    const end = this.#request.follow(buffer, from, to, this.#socket.halfClosed)
    if (this.#refused(end)) return
    this.#socket.keep(buffer, end, to)
    this.#request.start(upstream.transport, this.#claim.headText, buffer, from)
    if (this.#claim.upstream === upstream) this.#afterRequestBytes()
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
    // What a client sends does not make up for an answer that it takes nothing of.
    if (this.#response.congested) return
    if (this.#response.begun) this.#armIdle()
    else if (this.#request.whole || this.#awaitsContinue)
      this.#socket.arm(this.#claim.limits.responseMs)
    else this.#socket.arm(this.#claim.limits.idleMs)
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
    if (congested) this.#claim.upstream?.pause()
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
    this.#socket.arm(this.#response.congested ? stalledClientMs : this.#claim.limits.idleMs)
  }

  #complete(): void {
    const { keepsClient, keepsTarget } = this.#response
    const { whole } = this.#request
    this.#response.stop()
    if (whole) this.#claim.settle(keepsTarget)
    else this.#claim.abort()
    this.#client.onAnswered(keepsClient && whole, whole)
  }

  #openTunnel(): void {
    const { upstream, release } = this.#claim
    if (upstream === undefined || release === undefined) return
    const isWebSocket = this.#client.head.upgrade === WEBSOCKET
    const { early } = this.#response
    const Kind = isWebSocket ? WebSocketTunnel : Tunnel
    const tunnel = new Kind(this.#context, this.#client, release, upstream)
    this.#response.stop()
    this.#claim.handOver(tunnel)
    this.#client.onUpgraded(tunnel)
    tunnel.begin(early)
  }

  /** The target has closed its connection before its answer was complete. */
  #onTargetGone(error: Error | undefined): void {
    if (this.#response.begun) this.#truncate()
    else if (this.#mayRepeat) this.#claim.repeat()
    else this.#fail('target-reset', error)
  }

  /**
   * RFC 9110 §9.2.2, RFC 9112 §9.3.1: only on a connection that may have been closed before the
   * request reached it, only while nothing has come back, and only what may be done twice.
   */
  get #mayRepeat(): boolean {
    const unanswered = this.#claim.repeatable && this.#response.silent
    return unanswered && !this.#request.hasBody && REPEATABLE.has(this.#client.head.method)
  }

  // The ways to end.

  #fail(failure: Failure, error?: Error): void {
    const { release, target } = this.#claim
    const { whole } = this.#request
    this.#response.stop()
    this.#claim.abort()
    release?.countAnswer(FAILURES[failure].status)
    this.#context.onFailure({
      failure,
      requestId: this.#client.requestId,
      service: release?.service ?? '',
      release: release?.release.id ?? '',
      target,
      error,
    })
    this.#client.onFailed(failure, whole)
  }

  #truncate(): void {
    this.#context.counters.truncated += 1
    this.#response.stop()
    this.#claim.abort()
    this.#client.onTruncated()
  }

  #countAnswer(): void {
    if (this.#counted) return
    this.#counted = true
    this.#claim.release?.countAnswer(this.#response.status)
  }
}

/** The idempotent methods of RFC 9110 §9.2.2, as far as they pass. */
const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
