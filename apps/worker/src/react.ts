/**
 * From facts to jobs. Events call for jobs as they arrive; the state is asked as well, once at the start
 * and then every few seconds, so that a worker that was away, or a queue that was lost, does no harm.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { isCalledFor, outstanding, reactions, type Job } from '@gatehouse/domain'
import {
  apply as applyRecorded,
  type EventLog,
  type Followed,
  type Recorded,
  type Replica,
} from '@gatehouse/events'
import type { Logger } from 'pino'
import type { Exclusive } from './exclusive.ts'
import type { Jobs } from './jobs.ts'
import type { QueuedJob } from './queued-job.ts'

export interface Reactor {
  /** False until the worker has caught up, and while the history in Redis is not the one it knows. */
  readonly isTrusted: () => boolean
  /**
   * Follows and reacts until the signal. Ends earlier when entries that it needs were trimmed away, so
   * that only a snapshot leads on.
   */
  readonly run: (jobs: Jobs, signal: AbortSignal) => Promise<void>
}

export interface ReactorOptions {
  readonly log: EventLog
  readonly replica: Replica
  readonly exclusive: Exclusive
  readonly logger: Logger
  /** Called after each batch, and at every look at the state. */
  readonly onLook: () => void
}

/** How often the state is asked what it still calls for. */
export const RESYNC_MS = 5_000

/** Watches that one look asks for: a large queue that was lost is made good in several looks. */
const RESYNC_WATCHES_MAX = 1_000

type Standing = 'behind' | 'trusted' | 'diverged'

export const createReactor = ({
  log,
  replica,
  exclusive,
  logger,
  onLook,
}: ReactorOptions): Reactor => {
  const { gateway } = replica.table
  let standing: Standing = 'behind'

  const apply = (batch: readonly Followed[]): readonly QueuedJob[] =>
    batch.flatMap((followed): readonly QueuedJob[] => {
      switch (followed.kind) {
        case 'recorded':
          bringForward(followed.recorded)
          return jobsOf(followed.recorded)
        case 'caught-up':
          standing = 'trusted'
          logger.info({ position: followed.position }, 'caught up with the log')
          return stillOutstanding()
        case 'gap':
          logger.warn({ first: followed.first }, 'the log was trimmed past this worker')
          standing = 'behind'
          return []
        case 'diverged':
          if (standing !== 'diverged') {
            const { why } = followed
            logger.error(
              { why },
              'Redis has another history than this worker, which does nothing now',
            )
          }
          standing = 'diverged'
          return []
        case 'link':
          return []
      }
    })

  /** A report of this worker may have brought the replica this far already. */
  const bringForward = (recorded: Recorded): void => {
    if (recorded.position > replica.place.position) applyRecorded(replica, recorded)
  }

  const jobsOf = (recorded: Recorded): readonly QueuedJob[] => {
    const { position } = recorded
    if (recorded.kind === 'quarantined') {
      logger.warn({ position, type: recorded.type, why: recorded.why }, 'quarantined an entry')
      return []
    }
    const { traceparent } = recorded.meta
    const trace = traceparent === undefined ? {} : { traceparent }
    return reactions(recorded.event).map((job) => ({ job, position, cause: position, ...trace }))
  }

  const stillOutstanding = (): readonly QueuedJob[] =>
    outstanding(gateway).map((job) => ({ job, position: replica.place.position }))

  const isStillCalledFor = (job: Job): boolean => isCalledFor(job, gateway)

  const ask = async (jobs: Jobs, called: readonly QueuedJob[]): Promise<void> => {
    try {
      await jobs.enqueue(called)
    } catch (error) {
      logger.warn({ err: error }, 'jobs could not be queued; the next look at the state does it')
    }
  }

  const followOn = async (jobs: Jobs, signal: AbortSignal): Promise<void> => {
    for await (const batch of log.follow(replica.place, signal)) {
      const called = await exclusive(() => Promise.resolve(apply(batch)))
      // Before, every event may have its answer further on; being caught up asks for what is left.
      if (standing === 'trusted') {
        await ask(
          jobs,
          called.filter(({ job }) => isStillCalledFor(job)),
        )
      }
      jobs.recheck(isStillCalledFor)
      onLook()
      if (batch.some(({ kind }) => kind === 'gap')) return
    }
  }

  const resync = async (jobs: Jobs, signal: AbortSignal): Promise<void> => {
    let from = 0
    for (;;) {
      await wait(RESYNC_MS, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      if (standing !== 'trusted') continue
      onLook()
      const all = stillOutstanding()
      // What somebody waits for is asked for at every look; the watches take turns.
      const changes = all.filter(({ job }) => job.type !== 'WatchTargets')
      const watches = all.filter(({ job }) => job.type === 'WatchTargets')
      if (from >= watches.length) from = 0
      await ask(jobs, [...changes, ...watches.slice(from, from + RESYNC_WATCHES_MAX)])
      from += RESYNC_WATCHES_MAX
    }
  }

  return {
    isTrusted: () => standing === 'trusted',
    run: async (jobs, signal) => {
      const ended = new AbortController()
      const resyncing = resync(jobs, AbortSignal.any([signal, ended.signal]))
      try {
        await followOn(jobs, signal)
      } finally {
        ended.abort()
        await resyncing
      }
    },
  }
}
