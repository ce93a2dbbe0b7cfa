/**
 * One release on this proxy: its targets' pools, the work it has in flight, and its drain.
 *
 * Claiming is synchronous. A request that was matched to the release is counted before anything else
 * can happen, so a drain either sees it or comes before it.
 */
import { parseTarget, type Release, type Route } from '@gatehouse/domain'
import { Timer, type TimerOwner } from '../wheel.ts'
import { roundRobin, type Balance } from './balance.ts'
import { requestLimits, type LimitsOf } from './request-limits.ts'
import { Farewell } from './farewell.ts'
import { TargetPool, type PoolParts } from './target-pool.ts'
import { WorkList, type UpgradedWork, type Work } from './work-list.ts'

export interface ReleaseParts extends PoolParts {
  /** The release holds no work any more: it may be drained, or forgotten. */
  readonly onIdle: (runtime: ReleaseRuntime) => void
  /** The drain deadline passed with this much work left, which has been cut. */
  readonly onCut: (runtime: ReleaseRuntime, cut: number) => void
}

export class ReleaseRuntime implements TimerOwner {
  readonly service: string
  readonly revision: number
  readonly release: Release
  readonly limitsOf: LimitsOf
  /** Whether its targets can be asked for a WebSocket: HTTP/2 has another way to it. */
  readonly opensWebSockets: boolean
  readonly requests = new WorkList()
  readonly upgraded = new WorkList<UpgradedWork>()
  /** Answers by the first digit of their status; index 0 is unused. */
  readonly answers: number[] = [0, 0, 0, 0, 0, 0]
  /** Work that was ended at the deadline of the newest drain. */
  cut = 0
  readonly #parts: ReleaseParts
  readonly #pools: readonly TargetPool[]
  readonly #balance: Balance<TargetPool>
  readonly #drainTimer = new Timer(this)
  readonly #farewell: Farewell
  /** The drain that it is in, or was in last. */
  #drain: Route['drains'][number] | undefined
  #draining = false

  constructor(parts: ReleaseParts, service: string, revision: number, release: Release) {
    this.service = service
    this.revision = revision
    this.release = release
    this.limitsOf = requestLimits(release)
    this.#parts = parts
    this.#farewell = new Farewell(parts.wheel, this.upgraded)
    const [first, ...others] = release.targets.map(({ url }) => poolOf(parts, url, release))
    if (first === undefined)
      throw new Error(`release "${release.id}" of "${service}" has no target`)
    this.#pools = [first, ...others]
    this.opensWebSockets = this.#pools.every(({ http2 }) => !http2)
    this.#balance = roundRobin([first, ...others])
  }

  get draining(): boolean {
    return this.#draining
  }

  get idle(): boolean {
    return this.requests.size === 0 && this.upgraded.size === 0
  }

  get pools(): readonly TargetPool[] {
    return this.#pools
  }

  setEjected(urls: readonly string[]): void {
    this.#balance.setEjected((pool) => urls.includes(pool.url))
  }

  /** Counts the request as work in flight and says which target is to have it. */
  claim(work: Work): TargetPool {
    this.requests.enter(work)
    return this.#balance.next()
  }

  /** Where else a request may go that could not be sent to `tried`. */
  otherTarget(tried: TargetPool): TargetPool | undefined {
    return this.#balance.nextAfter(tried)
  }

  /** The request has become an upgraded connection, and its claim goes over to that. */
  upgrade(request: Work, upgraded: UpgradedWork): void {
    if (this.requests.leave(request)) this.upgraded.enter(upgraded)
  }

  /** Gives the claim back. Doing so again changes nothing. */
  leave(work: Work): void {
    const left = this.requests.leave(work) || this.upgraded.leave(work)
    if (left && this.idle) this.#parts.onIdle(this)
  }

  countAnswer(status: number): void {
    const statusClass = Math.trunc(status / 100)
    this.answers[statusClass] = (this.answers[statusClass] ?? 0) + 1
  }

  /** No new work comes; what is in flight may go on for the drain's time from now. */
  drain(drain: Route['drains'][number]): void {
    this.#draining = true
    if (this.#drain?.generation === drain.generation) return
    this.#drain = drain
    this.cut = 0
    // A second drain of a release replaces the first: its time is the one that counts.
    this.#parts.wheel.disarm(this.#drainTimer)
    this.#farewell.cancel()
    if (drain.drainMs === 'infinity') return
    this.#parts.wheel.arm(this.#drainTimer, drain.drainMs)
    this.#farewell.begin(drain.drainMs)
  }

  /** It is active again: nothing is cut. */
  cancelDrain(): void {
    this.#draining = false
    this.#parts.wheel.disarm(this.#drainTimer)
    this.#farewell.cancel()
  }

  /** The proxy ends within that time. */
  finish(graceMs: number): void {
    this.#farewell.begin(graceMs)
  }

  onDeadline(): void {
    const left = [...this.requests.members(), ...this.upgraded.members()]
    this.cut += left.length
    this.#parts.onCut(this, left.length)
    for (const work of left) {
      // To cut one may end another.
      if (this.requests.has(work) || this.upgraded.has(work)) work.cut()
    }
  }

  /** Ends everything it has: for a proxy that stops. */
  close(): void {
    this.#parts.wheel.release(this.#drainTimer)
    this.#farewell.cancel()
    for (const pool of this.#pools) pool.close()
  }
}

const poolOf = (parts: PoolParts, url: string, release: Release): TargetPool => {
  const parsed = parseTarget(url)
  if ('problem' in parsed) throw new Error(`target of release "${release.id}": ${parsed.problem}`)
  return new TargetPool(parts, parsed, release)
}
