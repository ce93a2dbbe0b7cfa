/**
 * The worker: follows the log, performs the jobs that facts call for, and reports. Opened in order,
 * closed in reverse. Any number of workers share the jobs of a fleet, and each may die at any moment.
 */
import { hostname } from 'node:os'
import { inspect } from 'node:util'
import {
  checkRedis,
  ControlPlaneUnfit,
  ControlPlaneUnreachable,
  createPresence,
  createRedisLog,
  InvalidSetting,
  openRedis,
  openReplica,
  readFleet,
  VERSION,
  type RedisLink,
} from '@gatehouse/events'
import { pino, type Logger } from 'pino'
import { openCertificates } from './certificates.ts'
import { readWorkerSettings, type WorkerSettings } from './config.ts'
import { createExclusive } from './exclusive.ts'
import { shareReads } from './fleet-reader.ts'
import { openJobs } from './jobs.ts'
import { createPerform } from './perform.ts'
import { keepPresence } from './presence.ts'
import { createReactor } from './react.ts'
import { createReport } from './report.ts'
import { createSnapshotKeeper } from './snapshots.ts'

const EXIT_USAGE = 2
const EXIT_CONTROL_PLANE = 6
/** npm passes a Ctrl-C on that the terminal has sent already: signals this close together are one. */
const ONE_PRESS_MS = 1_000

/** Works until the signal comes. Throws `ControlPlaneUnfit` when Redis is there but of no use. */
export const main = async (
  settings: WorkerSettings,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> => {
  await using stack = new AsyncDisposableStack()
  const link = openRedis(settings.redisUrl, {
    name: settings.id,
    // A worker has nothing to do without Redis but to wait for it.
    patience: 'endless',
    onTrouble: (reason) => logger.warn({ reason }, 'Redis is away: the worker waits for it'),
    onRecovered: () => logger.info('Redis is back'),
  })
  stack.defer(() => link.close())
  const facts = await unlessAborted(checkRedis(link), signal)
  for (const warning of facts?.warnings ?? []) logger.warn(warning)
  // A turn ends when the log was trimmed past this worker: it then starts from the newest snapshot.
  while (!signal.aborted) await workOn(settings, link, logger, signal)
  logger.info('the worker has stopped')
}

const workOn = async (
  { fleet, id, secretKeys, acme, onDemand }: WorkerSettings,
  link: RedisLink,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> => {
  await using stack = new AsyncDisposableStack()
  const log = createRedisLog(link, fleet)
  const replica = await unlessAborted(openReplica(log), signal)
  if (replica === undefined) return
  const exclusive = createExclusive()
  const isTrusted = (): boolean => reactor.isTrusted()
  const covered = (await log.snapshot())?.position ?? 0
  const snapshots = createSnapshotKeeper({ log, replica, covered, isTrusted, logger })
  const onLook = (): void => {
    snapshots.look()
    certificates.look()
  }
  const reactor = createReactor({ log, replica, exclusive, logger, onLook })

  const startedAt = Date.now()
  const about = {
    kind: 'worker',
    id,
    host: hostname(),
    pid: process.pid,
    version: VERSION,
  } as const
  const kept = stack.use(
    keepPresence({
      presence: createPresence(link, fleet, id),
      describe: () => ({ ...about, position: replica.place.position, startedAt }),
      onTrouble: (error) => logger.warn({ err: error }, 'the fleet does not know of this worker'),
    }),
  )
  const view = { read: shareReads(() => readFleet(link, fleet)), isSettled: kept.isSettled }
  const report = createReport({ log, replica, exclusive, worker: id, logger })
  const certificates = stack.use(
    openCertificates({
      link,
      fleetName: fleet,
      worker: id,
      secretKeys,
      acme,
      onDemand,
      log,
      replica,
      exclusive,
      isTrusted,
      fleet: view,
      report,
      logger,
    }),
  )
  const perform = createPerform({
    replica,
    isTrusted,
    fleet: view,
    report,
    certificates: certificates.work,
  })
  const jobs = stack.use(
    openJobs({
      link,
      fleet,
      perform,
      onTrouble: (error, doing) => logger.warn({ err: error, doing }, 'the queue is in trouble'),
    }),
  )
  logger.info({ id, fleet, position: replica.place.position }, 'the worker works')
  await reactor.run(jobs, signal)
}

/** Undefined when the signal comes first: Redis may be away, and then nothing ever answers. */
const unlessAborted = async <Value>(
  work: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | undefined> => {
  const aborted = Promise.withResolvers<undefined>()
  const stop = (): void => aborted.resolve(undefined)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const stopSignal = (): AbortSignal => {
  const stop = new AbortController()
  let askedAt = 0
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (!stop.signal.aborted) {
        askedAt = performance.now()
        stop.abort()
      } else if (performance.now() - askedAt > ONE_PRESS_MS) {
        // Asked twice: the queue takes up what is left behind.
        process.exit(1)
      }
    })
  }
  return stop.signal
}

const exitCodeOf = (error: unknown): number => {
  if (error instanceof InvalidSetting) return EXIT_USAGE
  if (error instanceof ControlPlaneUnfit || error instanceof ControlPlaneUnreachable) {
    return EXIT_CONTROL_PLANE
  }
  return 1
}

if (import.meta.main) {
  let code = 0
  try {
    await main(readWorkerSettings(), pino(), stopSignal())
  } catch (error) {
    code = exitCodeOf(error)
    // What somebody can mend is a sentence; what nobody expected keeps its stack.
    const text = error instanceof Error && code !== 1 ? error.message : inspect(error)
    process.stderr.write(`${text}\n`)
  }
  // Everything is closed; a library's last timer need not hold the process up.
  process.exit(code)
}
