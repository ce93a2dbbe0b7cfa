/** Which proxies are where a change wants them, how long each took, and who is missing. Pure. */
import type { Fleet, Receipt as Applied } from '@gatehouse/events'

export interface Receipts {
  readonly position: number
  readonly proxies: readonly Receipt[]
  /** Live proxies that are not there yet, and those whose lease ran out while we waited. */
  readonly laggards: readonly Laggard[]
}

export interface Receipt {
  readonly id: string
  /** From the event to its application; absent when the proxy no longer remembers. */
  readonly tookMs?: number
}

export interface Laggard {
  readonly id: string
  readonly position: number
  readonly why: 'behind' | 'lost'
}

export interface Statistics {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/**
 * `position` and `at` are the event's; `awaited` names the proxies that were alive since the wait
 * began, so that one that dies meanwhile is missed rather than forgotten.
 */
export const receiptsAt = (
  fleet: Pick<Fleet, 'proxies'>,
  { position, at }: { readonly position: number; readonly at: number },
  awaited: ReadonlySet<string>,
): Receipts => {
  const proxies: Receipt[] = []
  const laggards: Laggard[] = []
  for (const proxy of fleet.proxies) {
    const { id } = proxy
    if (proxy.position >= position) {
      const appliedAt = appliedAtOf(proxy.receipts, position)
      // A receipt that is there counts, even when its proxy has gone since.
      if (proxy.live || awaited.has(id)) {
        proxies.push(appliedAt === undefined ? { id } : { id, tookMs: Math.max(0, appliedAt - at) })
      }
    } else if (proxy.live) laggards.push({ id, position: proxy.position, why: 'behind' })
    else if (awaited.has(id)) laggards.push({ id, position: proxy.position, why: 'lost' })
  }
  return { position, proxies, laggards }
}

/** By nearest rank; undefined when nothing was measured. */
export const statisticsOf = (receipts: readonly Receipt[]): Statistics | undefined => {
  const sorted = receipts
    .flatMap(({ tookMs }) => (tookMs === undefined ? [] : [tookMs]))
    .toSorted((one, other) => one - other)
  const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
  return sorted.length === 0 ? undefined : { p50Ms: rank(0.5), p99Ms: rank(0.99), maxMs: rank(1) }
}

/** `proxy-3 (at 17, behind), proxy-4 (lost)` */
export const sayLaggards = (laggards: readonly Laggard[]): string =>
  laggards
    .map(({ id, position, why }) =>
      why === 'lost'
        ? `${id} (its lease ran out at position ${position})`
        : `${id} (is at ${position})`,
    )
    .join(', ')

/** Proxies may remember only the end of a batch: the first receipt at or after the position covers it. */
const appliedAtOf = (receipts: readonly Applied[], position: number): number | undefined => {
  let covering: Applied | undefined
  for (const receipt of receipts) {
    const covers = receipt.position >= position
    if (covers && receipt.position < (covering?.position ?? Number.POSITIVE_INFINITY)) {
      covering = receipt
    }
  }
  return covering?.at
}
