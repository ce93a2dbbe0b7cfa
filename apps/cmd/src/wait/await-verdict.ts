/** The first phase of a wait: until the workers have said whether the release is fit. */
import { sayDuration } from '../spec/duration.ts'
import type { Verdict } from './change.ts'
import { until } from './until.ts'
import type { Wait } from './waiting.ts'

const WORKERS_EVERY_MS = 1_000
/** The event that says who was quicker is appended with the one that says that somebody was. */
const WINNER_WITHIN_MS = 500

/** `pending` when the time is over. Says at once when there is no worker to wait for. */
export const awaitVerdict = async (wait: Wait): Promise<Verdict> => {
  const { session, options, follower, fleet, budget } = wait
  const { interrupted: signal, output } = session
  const startedAt = performance.now()
  const release = options.change.attempt?.release
  let workersSeenAt = Number.NEGATIVE_INFINITY
  let warned = false
  const settled = await until(
    async () => {
      const { verdict } = follower.change()
      if (verdict.kind !== 'pending') return verdict
      // What needs no verdict is only on its way back to us through the log.
      if (release === undefined) return undefined
      output.now(`checking release ${release}`)
      if (!warned && performance.now() - workersSeenAt >= WORKERS_EVERY_MS) {
        workersSeenAt = performance.now()
        const seen = await fleet.look()
        warned = seen !== undefined && !seen.workers.some((worker) => worker.live)
        if (warned)
          output.warn('no worker is running, so nobody checks the release; waiting for one')
      }
      return undefined
    },
    {
      deadline: budget.deadlineAfter(options.healthMs),
      everyMs: WORKERS_EVERY_MS,
      news: follower.news,
      signal,
    },
  )
  if (settled === undefined) fleet.insist()
  budget.spend(startedAt, options.healthMs)
  if (settled?.kind !== 'superseded') return settled ?? { kind: 'pending' }
  const deadline = performance.now() + WINNER_WITHIN_MS
  const look = (): Verdict | undefined => {
    const { verdict } = follower.change()
    return verdict.kind === 'superseded' && verdict.winner !== undefined ? verdict : undefined
  }
  const known = await until(look, {
    deadline,
    everyMs: WINNER_WITHIN_MS,
    news: follower.news,
    signal,
  })
  return known ?? settled
}

/** Why there is no verdict, in one sentence. Throws when it is that Redis is away. */
export const whyPending = async ({ fleet, options }: Wait): Promise<string> => {
  const seen = await fleet.look()
  fleet.insist()
  const workers = seen?.workers.filter((worker) => worker.live) ?? []
  const release = options.change.attempt?.release ?? ''
  const time = sayDuration(options.timeoutMs + options.healthMs)
  return workers.length === 0
    ? `release ${release} was not checked within ${time}: no worker is running; start one with npm run worker`
    : `release ${release} was not checked within ${time}, though ${workers.map(({ id }) => id).join(', ')} is running`
}
