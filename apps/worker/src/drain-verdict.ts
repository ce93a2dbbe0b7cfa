/**
 * Whether a drain is over: what the fleet's own counts say, and nothing else. A proxy speaks about the
 * drain only once it has applied it; before, its zero may be followed by a new request.
 */
import type { DrainMs, ReportDrain } from '@gatehouse/domain'

/** What the verdict needs to know of a fleet. */
export interface FleetView {
  /** Redis' clock in milliseconds: the one that every worker sees alike. */
  readonly now: number
  readonly proxies: readonly ProxyView[]
}

export interface ProxyView {
  readonly id: string
  readonly position: number
  /** False once its lease ran out: it may serve on, but nobody hears from it. */
  readonly live: boolean
  readonly work: readonly WorkView[]
}

export interface WorkView {
  readonly service: string
  readonly revision: number
  /** Requests in flight. */
  readonly requests: number
  /** Upgraded connections that are open. */
  readonly upgraded: number
  /** What the proxy ended at the deadline. */
  readonly cut: number
}

export interface WatchedDrain {
  readonly service: string
  readonly revision: number
  readonly drainMs: DrainMs
  /** At or after the position of its `DrainStarted`. */
  readonly position: number
  /** Redis' clock when a worker first looked. */
  readonly sinceMs: number
}

export type DrainVerdict =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'ended'; readonly outcome: ReportDrain['outcome'] }

/**
 * Proxies cut at the deadline by themselves and say how much; a worker that has heard nothing so long
 * after it (`graceMs`) ends the watch, so that a proxy that hangs cannot hold a drain open for ever.
 */
export const judgeDrain = (
  fleet: FleetView,
  drain: WatchedDrain,
  graceMs: number,
): DrainVerdict => {
  const live = fleet.proxies.filter((proxy) => proxy.live)
  const behind = live.filter((proxy) => proxy.position < drain.position)
  const work = live.flatMap((proxy) => proxy.work).filter((each) => isAbout(drain, each))
  const held = sum(work.map(({ requests, upgraded }) => requests + upgraded))
  const cut = sum(work.map((each) => each.cut))
  // Nobody can speak for a proxy that fell silent; whoever reads the outcome has to know its name.
  const silent = fleet.proxies.filter((proxy) => !proxy.live)

  if (behind.length === 0 && held === 0) {
    const unreachable = namesOf(silent)
    return cut === 0
      ? { kind: 'ended', outcome: { kind: 'drained', unreachable } }
      : { kind: 'ended', outcome: { kind: 'timed-out', cut, unreachable } }
  }
  if (fleet.now < endOf(drain) + graceMs) return { kind: 'waiting' }
  const unreachable = namesOf([...silent, ...behind])
  return { kind: 'ended', outcome: { kind: 'timed-out', cut: cut + held, unreachable } }
}

const isAbout = (drain: WatchedDrain, work: WorkView): boolean =>
  work.service === drain.service && work.revision === drain.revision

const endOf = ({ sinceMs, drainMs }: WatchedDrain): number =>
  drainMs === 'infinity' ? Number.POSITIVE_INFINITY : sinceMs + drainMs

const namesOf = (proxies: readonly ProxyView[]): readonly string[] =>
  proxies.map((proxy) => proxy.id).toSorted((a, b) => a.localeCompare(b))

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)
