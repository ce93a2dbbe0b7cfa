/**
 * What one request holds: its place among the work of a release, the target whose turn it was, and a
 * connection to that target. It waits for the connection if it must, tries another target when the
 * first cannot be reached, and gives everything back exactly once.
 *
 * A client's connection has one claim and uses it for one request after the other.
 */
import { LIMIT_DEFAULTS, type Limits } from '@gatehouse/domain'
import type { Failure } from '../http/failure.ts'
import { forwardedRequestHead } from '../http/forward-head.ts'
import type { ReleaseRuntime } from '../upstream/release-runtime.ts'
import type { TargetPool } from '../upstream/target-pool.ts'
import type {
  ConnectFailure,
  UpstreamConnection,
  UpstreamSeeker,
  UpstreamUser,
} from '../upstream/upstream-connection.ts'
import { NOWHERE, type UpgradedWork, type Work } from '../upstream/work-list.ts'
import type { ServeContext } from './context.ts'
import type { ExchangeClient } from './exchange-client.ts'

/** `waiting`: for a connection. `held`: there is one. */
export type ClaimStage = 'none' | 'waiting' | 'held'

/** Whose request it is. */
export interface ClaimHolder extends UpstreamUser {
  /** The connection that was waited for is there. */
  onClaimed(upstream: UpstreamConnection): void
  /** It will not come, from no target that may be tried. Nothing was sent. */
  onUnclaimed(failure: Failure, error?: Error): void
  /** The release's drain is over. */
  cut(): void
}

export class Claim implements UpstreamSeeker, Work {
  place = NOWHERE
  stage: ClaimStage = 'none'
  release: ReleaseRuntime | undefined
  /** Those of the release for this very request. */
  limits: Limits = LIMIT_DEFAULTS
  /** The connection that is ours, or is being made for us. */
  upstream: UpstreamConnection | undefined
  /** The head as sent to the target: it may have to be sent again. */
  headText = ''
  readonly user: ClaimHolder
  readonly #context: ServeContext
  readonly #client: ExchangeClient
  #pool: TargetPool | undefined
  /** Sent again because a kept connection turned out to be dead: once. */
  #repeated = false
  /** Sent elsewhere because a target could not be connected to: once. */
  #redirected = false

  constructor(context: ServeContext, client: ExchangeClient, holder: ClaimHolder) {
    this.#context = context
    this.#client = client
    this.user = holder
  }

  /** URL of the target whose turn it is; '' for none. */
  get target(): string {
    return this.#pool?.url ?? ''
  }

  /** It was not repeated yet, and its connection may have been closed before it came. */
  get repeatable(): boolean {
    return this.upstream?.reused === true && !this.#repeated
  }

  /** Claims a target of the release, and an idle connection to it, if there is one: or else `wait`. */
  begin(release: ReleaseRuntime): UpstreamConnection | undefined {
    this.release = release
    this.limits = release.limitsOf(this.#client.head)
    this.#repeated = false
    this.#redirected = false
    return this.#take(release.claim(this))
  }

  wait(): void {
    this.stage = 'waiting'
    // HAProxy's `timeout queue`: to wait for a free connection is to wait for an answer.
    this.#client.socket.arm(this.limits.responseMs)
    if (this.#pool?.request(this) === false) this.user.onUnclaimed('queue-full')
  }

  /** Lets go of a connection that was closed before the request reached it, and waits for another. */
  repeat(): void {
    const { upstream } = this
    this.#repeated = true
    this.#context.counters.retried += 1
    this.upstream = undefined
    upstream?.discard()
    if (this.stage !== 'none') this.wait()
  }

  // What a connection that was waited for says.

  onConnecting(upstream: UpstreamConnection): void {
    this.upstream = upstream
    // It has a deadline of its own for that.
    this.#client.socket.disarm()
  }

  onUpstreamReady(upstream: UpstreamConnection): void {
    this.stage = 'held'
    this.upstream = upstream
    this.user.onClaimed(upstream)
  }

  onConnectFailed(failure: ConnectFailure, error: Error | undefined): void {
    this.upstream = undefined
    const other =
      failure === 'connect-timeout' || this.#redirected || this.#pool === undefined
        ? undefined
        : this.release?.otherTarget(this.#pool)
    if (other === undefined) {
      this.user.onUnclaimed(failure, error)
      return
    }
    this.#redirected = true
    this.#context.counters.retried += 1
    const idle = this.#take(other)
    if (idle === undefined) this.wait()
    else this.user.onClaimed(idle)
  }

  // The ways to give it back.

  /** The request was sent and answered to its end. `reusable`: the connection may have another one. */
  settle(reusable: boolean): void {
    const { upstream } = this
    const pool = this.#pool
    this.#leave()
    if (reusable && upstream?.closed === false) pool?.give(upstream)
    else upstream?.discard()
  }

  /** The request or its answer was not complete. */
  abort(): void {
    const { upstream } = this
    this.#pool?.leave(this)
    this.#leave()
    upstream?.abort()
  }

  /** The client has left. A connection that is just being made will serve somebody else. */
  abandon(): void {
    const { upstream } = this
    if (this.stage !== 'waiting' || upstream === undefined) {
      this.abort()
      return
    }
    this.#leave()
    upstream.letGo()
  }

  /** The connection is upgraded, and goes over to that work together with the place in the release. */
  handOver(upgraded: UpgradedWork): void {
    const { upstream } = this
    this.release?.upgrade(this, upgraded)
    this.#leave()
    upstream?.leavePool()
  }

  cut(): void {
    this.user.cut()
  }

  #take(pool: TargetPool): UpstreamConnection | undefined {
    const { head, peer, requestId } = this.#client
    this.#pool = pool
    const now = this.#context.now()
    this.headText = forwardedRequestHead(head, peer, pool.destination, requestId, now)
    const idle = pool.take(this)
    if (idle === undefined) return undefined
    this.stage = 'held'
    this.upstream = idle
    return idle
  }

  #leave(): void {
    const { release } = this
    const { socket } = this.#client
    this.stage = 'none'
    this.release = undefined
    this.upstream = undefined
    this.headText = ''
    this.#pool = undefined
    socket.disarm()
    socket.blockReading(false)
    release?.leave(this)
  }
}
