/**
 * Waits until nothing is left of what was asked. Clients are gone, targets close what idles, and then
 * the product has to give back all that it held: connections, descriptors, work in flight.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { holdingsOf, withMemory, type Holdings, type Look, type Watched } from './look.ts'
import type { Target } from './target-process.ts'

/** What is still there after so long is held for good. */
export const SETTLE_MS_MAX = 10_000
const POLL_MS = 25

export interface SettleParts {
  readonly watched: readonly Watched[]
  readonly targets: readonly Target[]
  /** As it was before: without it, only work has to end. */
  readonly before?: readonly Look[]
}

/** Looks at each process as soon as all have settled, or when they should have. */
export const settledLooks = async (parts: SettleParts): Promise<readonly Look[]> => {
  const { watched, targets, before = [] } = parts
  const end = performance.now() + SETTLE_MS_MAX
  for (;;) {
    await Promise.all(targets.map((target) => target.closeIdleConnections()))
    const looks = await Promise.all(
      watched.map(async (each) => ({ each, holdings: await holdingsOf(each) })),
    )
    const settled = looks.every(({ holdings }, index) => hasSettled(holdings, before[index]))
    if (settled || performance.now() > end) {
      return Promise.all(looks.map(({ each, holdings }) => withMemory(each, holdings)))
    }
    await delay(POLL_MS)
  }
}

const hasSettled = ({ descriptors, work }: Holdings, before: Look | undefined): boolean =>
  descriptors.length <= (before?.descriptors.length ?? Number.POSITIVE_INFINITY) &&
  Object.values(work).every((value) => value === 0)
