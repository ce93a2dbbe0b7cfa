/**
 * The last phase of a wait: until what served before holds nothing any more. A drain ends when the
 * workers have seen a proven zero; a pause and a stop end when no proxy reports work.
 */
import type { DrainMs } from '@gatehouse/domain'
import { EXIT } from '../exit-codes.ts'
import { sayDuration } from '../spec/duration.ts'
import type { Change, FollowedDrain } from './change.ts'
import type { Receipts } from './receipts.ts'
import { until } from './until.ts'
import type { Wait, Waited } from './waiting.ts'
import { sayWork, workOf, workOfService, type ServiceWork } from './work.ts'

const LOOK_EVERY_MS = 200
const FOREVER_MS = Number.MAX_SAFE_INTEGER

export const awaitDrains = async (wait: Wait, receipts: Receipts): Promise<Waited> => {
  const { session, follower, fleet, budget } = wait
  const startedAt = performance.now()
  const allowedMs = Math.max(0, ...follower.change().drains.map((drain) => inMs(drain.drainMs)))
  let workersSeen = true
  await until(
    async () => {
      const { service, drains } = follower.change()
      const open = drains.filter((drain) => drain.ended === undefined)
      if (open.length === 0) return true
      const seen = await fleet.look()
      if (seen === undefined) return undefined
      if (workersSeen && !seen.workers.some((worker) => worker.live)) {
        workersSeen = false
        session.output.warn('no worker is running, so nobody reports the end of the drain')
      }
      for (const drain of open)
        session.output.now(sayDraining(drain, workOf(seen, service, drain.revision)))
      return undefined
    },
    {
      deadline: budget.deadlineAfter(allowedMs),
      everyMs: LOOK_EVERY_MS,
      news: follower.news,
      signal: session.interrupted,
    },
  )
  const change = follower.change()
  const open = change.drains.filter((drain) => drain.ended === undefined)
  if (open.length === 0) return { ...drained(change), receipts }
  fleet.insist()
  const names = open.map((drain) => drain.release).join(', ')
  const time = sayDuration(performance.now() - startedAt)
  const problem = `the drain of ${names} was not reported within ${time}`
  return { exit: EXIT.notConverged, problem, change, receipts }
}

const drained = (change: Change): Waited => {
  for (const { release, ended } of change.drains) {
    if (ended?.outcome.kind === 'timed-out') {
      const { cut } = ended.outcome
      const problem = `the drain of release ${release} reached its deadline: ${cut} in flight ${cut === 1 ? 'was' : 'were'} cut`
      return { exit: EXIT.drainTimedOut, problem, change }
    }
    if (ended?.outcome.kind === 'cancelled' && change.attempt === undefined) {
      const problem = `the drain of release ${release} was called off: it is active again`
      return { exit: EXIT.conflict, problem, change }
    }
  }
  return { exit: EXIT.ok, change }
}

export const awaitQuiet = async (
  { session, options, follower, fleet }: Wait,
  quietMs: number,
  receipts: Receipts,
): Promise<Waited> => {
  const { service } = options.change
  let stillInFlight: readonly ServiceWork[] = []
  const quiet = await until(
    async () => {
      const seen = await fleet.look()
      if (seen === undefined) return undefined
      const busy = workOfService(seen, service)
      stillInFlight = busy
      if (busy.length === 0) return true
      session.output.now(`waiting for ${service}: ${sayWork(busy)}`)
      return undefined
    },
    {
      deadline: performance.now() + quietMs,
      everyMs: LOOK_EVERY_MS,
      news: follower.news,
      signal: session.interrupted,
    },
  )
  const change = follower.change()
  if (quiet === true) return { exit: EXIT.ok, change, receipts, stillInFlight }
  fleet.insist()
  const problem = `still in flight after ${sayDuration(quietMs)}: ${sayWork(stillInFlight)}`
  return { exit: EXIT.drainTimedOut, problem, change, receipts, stillInFlight }
}

const sayDraining = (drain: FollowedDrain, busy: readonly ServiceWork[]): string =>
  busy.length === 0
    ? `draining ${drain.release}: nothing in flight`
    : `draining ${drain.release}: ${sayWork(busy)}`

const inMs = (drainMs: DrainMs): number => (drainMs === 'infinity' ? FOREVER_MS : drainMs)
