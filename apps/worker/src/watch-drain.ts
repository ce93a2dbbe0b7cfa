/**
 * The job behind a proven zero: ask the fleet again and again what it still holds of a draining
 * release, and report when that is nothing. Proxies keep the deadline by themselves.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Gateway, Job, Service } from '@gatehouse/domain'
import { LEASE_MS } from '@gatehouse/events'
import { z } from 'zod'
import { judgeDrain, type FleetView } from './drain-verdict.ts'
import type { QueuedJob, Turn } from './queued-job.ts'
import type { Report } from './report.ts'

/**
 * Most drains are over at once, so the first turn stays and looks often; a drain that lasts longer is
 * left to the queue, where it takes up no turn while it waits.
 */
const LOOK_MS = 50
const STAY_MS = 1_000
const RETURN_MS = 500

/** Time for a cut to be counted and to be heard of, and for a proxy that hangs to lose its lease. */
const GRACE_MS = 2 * LEASE_MS

export interface FleetReader {
  readonly read: () => Promise<FleetView>
  /**
   * False for a lease's length after this worker has (re)gained Redis: proxies that lost it in the same
   * outage need that long to be heard again, and must not be taken for gone meanwhile.
   */
  readonly isSettled: () => boolean
}

const drainProgress = z.object({ sinceMs: z.number() })

export const watchDrain = async (
  job: Extract<Job, { type: 'WatchDrain' }>,
  queued: QueuedJob,
  gateway: Gateway,
  fleet: FleetReader,
  report: Report,
  signal: AbortSignal,
): Promise<Turn> => {
  const { service, generation } = job
  const drain = drainOf(job, gateway)
  if (drain === undefined) return { kind: 'done' }
  const { revision, drainMs } = drain
  const before = drainProgress.safeParse(queued.progress)
  let sinceMs = before.success ? before.data.sinceMs : undefined
  const leaveAtMs = performance.now() + (sinceMs === undefined ? STAY_MS : 0)

  while (!signal.aborted) {
    const seen = await fleet.read()
    sinceMs ??= seen.now
    const watched = { service, revision, drainMs, position: queued.position, sinceMs }
    const verdict = judgeDrain(seen, watched, GRACE_MS)
    const someSilent = seen.proxies.some((proxy) => !proxy.live)
    if (verdict.kind === 'ended' && (fleet.isSettled() || !someSilent)) {
      await report({ type: 'ReportDrain', service, generation, outcome: verdict.outcome }, queued)
      return { kind: 'done' }
    }
    if (performance.now() > leaveAtMs) {
      return { kind: 'again', afterMs: RETURN_MS, progress: { sinceMs } }
    }
    await wait(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
  return { kind: 'again', afterMs: 0, progress: sinceMs === undefined ? undefined : { sinceMs } }
}

const drainOf = (
  { service, generation }: Extract<Job, { type: 'WatchDrain' }>,
  gateway: Gateway,
): Service['drains'][number] | undefined =>
  gateway.services.get(service)?.drains.find((each) => each.generation === generation)
