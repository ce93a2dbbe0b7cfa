/**
 * The queue: the only file that knows BullMQ. A job's id is its name, so asking twice is asking once;
 * a job that ends leaves nothing behind, so it can be asked for again.
 *
 * A turn holds a short lock that is renewed while it runs. When a worker dies, the lock runs out, and
 * another worker takes the turn from the start: within `LOCK_MS` and two checks, about five seconds for
 * what somebody waits for.
 */
import { nameOf, type Job } from '@gatehouse/domain'
import type { RedisLink } from '@gatehouse/events'
import { DelayedError, Queue, Worker, type Job as BullJob } from 'bullmq'
import { readQueuedJob, type Perform, type QueuedJob } from './queued-job.ts'

export interface Jobs extends AsyncDisposable {
  /** Asks for jobs; those that are asked for already stay as they are. */
  readonly enqueue: (jobs: readonly QueuedJob[]) => Promise<void>
  /** Calls off the turns that this worker runs and that are not called for any more. */
  readonly recheck: (isCalledFor: (job: Job) => boolean) => void
}

export interface JobsOptions {
  readonly link: RedisLink
  readonly fleet: string
  readonly perform: Perform
  readonly onTrouble: (error: Error, doing: string) => void
}

/**
 * Renewed at half of it. A worker that is busier than this for longer loses the turn, not the job. Two turns of
 * an order would be two orders at the authority, and nobody misses ten seconds of a certificate.
 */
const LOCK_MS: Readonly<Record<QueueName, number>> = {
  changes: 2_500,
  watches: 2_500,
  certificates: 10_000,
}
const STALLED_CHECK_MS = 1_000
/** A turn may lose its worker as often as it likes; the job is asked for as long as the state does. */
const STALLED_COUNT_MAX = 1_000_000
/**
 * Turns of one queue that one worker runs at once. They wait for the network most of their time; but no
 * authority likes to be asked a hundred things at once.
 */
const TURNS_MAX: Readonly<Record<QueueName, number>> = {
  changes: 100,
  watches: 100,
  certificates: 10,
}
/** After an error of the connection; BullMQ's own 15 s would be longer than most outages. */
const RETRY_MS = 1_000
/** BullMQ records what happens to jobs; nobody here reads it. */
const QUEUE_EVENTS_MAX = 100
const ADD_AT_ONCE_MAX = 500
const CLOSE_WITHIN_MS = 5_000

/**
 * Several queues, because a hundred targets that hang may not hold up a deploy, nor may an authority: what
 * somebody waits for, what goes on in the background, and certificates.
 */
type QueueName = (typeof QUEUES)[number]

const QUEUES = ['changes', 'watches', 'certificates'] as const

export const openJobs = (options: JobsOptions): Jobs => {
  const lanes = {
    changes: openLane('changes', options),
    watches: openLane('watches', options),
    certificates: openLane('certificates', options),
  }
  return {
    enqueue: async (jobs) => {
      for (const name of QUEUES) {
        const own = jobs.filter(({ job }) => queueOf(job) === name)
        for (let first = 0; first < own.length; first += ADD_AT_ONCE_MAX) {
          await lanes[name].enqueue(own.slice(first, first + ADD_AT_ONCE_MAX))
        }
      }
    },
    recheck: (isCalledFor) => {
      for (const lane of Object.values(lanes)) lane.recheck(isCalledFor)
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(Object.values(lanes).map((lane) => lane[Symbol.asyncDispose]()))
    },
  }
}

const queueOf = (job: Job): QueueName => {
  switch (job.type) {
    case 'CheckRelease':
    case 'WatchDrain':
      return 'changes'
    case 'WatchTargets':
      return 'watches'
    case 'OrderCertificate':
    case 'RevokeCertificate':
      return 'certificates'
  }
}

const openLane = (name: QueueName, { link, fleet, perform, onTrouble }: JobsOptions): Jobs => {
  const shared = { connection: link.client, prefix: `{gatehouse:${fleet}}` }
  const queue = new Queue<unknown, void>(name, {
    ...shared,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    streams: { events: { maxLen: QUEUE_EVENTS_MAX } },
  })
  const running = new Map<AbortController, Job>()
  let leaving = false

  const takeTurn = async (bull: BullJob<unknown, void>, token?: string): Promise<void> => {
    const queued = readQueuedJob(bull.data)
    // Another version's job: the worker that asked for it will ask again, and may get it then.
    if (queued === undefined) return
    const stop = new AbortController()
    if (leaving) stop.abort()
    running.set(stop, queued.job)
    try {
      const turn = await perform(queued, stop.signal)
      if (turn.kind === 'done') return
      // A write only for what changed: most turns of most jobs find everything as it was.
      if (JSON.stringify(turn.progress) !== JSON.stringify(queued.progress)) {
        await bull.updateData({ ...queued, progress: turn.progress })
      }
      await bull.moveToDelayed(Date.now() + Math.round(turn.afterMs), token)
    } finally {
      running.delete(stop)
    }
    throw new DelayedError()
  }

  const worker = new Worker<unknown, void>(name, takeTurn, {
    ...shared,
    concurrency: TURNS_MAX[name],
    lockDuration: LOCK_MS[name],
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: STALLED_COUNT_MAX,
    runRetryDelay: RETRY_MS,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  })
  queue.on('error', (error) => isOfTheLink(error) || onTrouble(error, `queue ${name}`))
  worker.on('error', (error) => isOfTheLink(error) || onTrouble(error, `worker of ${name}`))
  worker.on('failed', (job, error) => onTrouble(error, job?.id ?? 'a job that is gone'))

  return {
    enqueue: async (jobs) => {
      await queue.addBulk(
        jobs.map((queued) => ({
          name: queued.job.type,
          data: queued,
          opts: { jobId: nameOf(queued.job) },
        })),
      )
    },
    recheck: (isCalledFor) => {
      for (const [stop, job] of running) if (!isCalledFor(job)) stop.abort()
    },
    [Symbol.asyncDispose]: async () => {
      leaving = true
      // No new turns from here; those that run hand over, and are somebody else's at once.
      const closed = worker.close()
      for (const stop of running.keys()) stop.abort()
      await within(CLOSE_WITHIN_MS, closed, () => worker.close(true))
      await within(CLOSE_WITHIN_MS, queue.close(), () => queue.disconnect())
    },
  }
}

/** The link says once that Redis is away; BullMQ would say it at every try of every connection. */
const isOfTheLink = (error: Error): boolean =>
  'syscall' in error || error.message === 'Connection is closed.'

/** Redis may be away while we leave; nothing that is lost then is lost for good. */
const within = async (
  ms: number,
  work: Promise<void>,
  giveUp: () => Promise<void>,
): Promise<void> => {
  const late = Symbol('late')
  const timer = Promise.withResolvers<typeof late>()
  const timeout = setTimeout(() => timer.resolve(late), ms)
  try {
    if ((await Promise.race([work, timer.promise])) === late) void giveUp().catch(() => undefined)
  } finally {
    clearTimeout(timeout)
  }
}
