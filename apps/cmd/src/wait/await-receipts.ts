/** The second phase of a wait: until every proxy that lives is where the change wants it. */
import { receiptsAt, type Receipts } from './receipts.ts'
import { until } from './until.ts'
import type { Wait } from './waiting.ts'

const LOOK_EVERY_MS = 20

/** What was confirmed when the time was over, or undefined when there is no proxy at all. */
export const awaitReceipts = async (
  { session, follower, fleet, budget }: Wait,
  at: { readonly position: number; readonly at: number },
): Promise<Receipts | undefined> => {
  const startedAt = performance.now()
  const awaited = new Set<string>()
  let receipts: Receipts | undefined
  const complete = await until(
    async () => {
      const seen = await fleet.look()
      if (seen === undefined) return undefined
      for (const { id, live } of seen.proxies) if (live) awaited.add(id)
      receipts = receiptsAt(seen, at, awaited)
      const { proxies, laggards } = receipts
      session.output.now(
        `${proxies.length} of ${proxies.length + laggards.length} proxies confirmed`,
      )
      // Nobody waits for a proxy whose lease is over: it is named, and that is all there is to say.
      return laggards.every(({ why }) => why === 'lost') ? receipts : undefined
    },
    {
      deadline: budget.deadlineAfter(0),
      everyMs: LOOK_EVERY_MS,
      news: follower.news,
      signal: session.interrupted,
    },
  )
  if (complete === undefined) fleet.insist()
  budget.spend(startedAt, 0)
  return awaited.size === 0 ? undefined : receipts
}
