/**
 * A fleet for tests of the command line: its own keys on the shared Redis, proxies whose presence is
 * written by hand, a worker that answers by hand, and the command itself run in this process.
 */
import { randomUUID } from 'node:crypto'
import {
  createPresence,
  createRedisLog,
  openRedis,
  openReplica,
  submit,
  type EventLog,
  type Place,
  type ProxyPresence,
  type ReleaseWork,
  type Replica,
} from '@gatehouse/events'
import { reactions, type Command, type HealthOutcome, type ReportDrain } from '@gatehouse/domain'
import type { Io } from '../../../apps/cmd/src/io.ts'
import { run } from '../../../apps/cmd/src/run.ts'

export interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly interrupted?: AbortSignal
}

export interface TestFleet extends AsyncDisposable {
  readonly name: string
  readonly log: EventLog
  readonly cmd: (line: string | readonly string[], options?: RunOptions) => Promise<Ran>
  readonly state: () => Promise<Replica>
  readonly submit: (command: Command) => Promise<void>
  /** A live worker that passes every release at once, unless told otherwise, and ends every drain. */
  readonly worker: (answers?: WorkerAnswers) => Promise<void>
  readonly proxy: (id: string) => HandProxy
}

export interface WorkerAnswers {
  readonly health?: HealthOutcome
  readonly drain?: ReportDrain['outcome']
}

export interface HandProxy {
  /** Says that it is at a position, with what it holds there. */
  readonly at: (position: number, work?: readonly ReleaseWork[]) => Promise<void>
  /** Follows the log: says at once what it has applied, until the fleet is disposed of. */
  readonly follow: () => Promise<void>
}

const POLL_MS = 5

export const createFleet = (redisUrl: string): TestFleet => {
  const name = `t-${randomUUID()}`
  const link = openRedis(redisUrl, { name: 'test' })
  const log = createRedisLog(link, name)
  const ending = new AbortController()
  const running: Promise<void>[] = []

  const cmd = async (line: string | readonly string[], options: RunOptions = {}): Promise<Ran> => {
    const text = { stdout: '', stderr: '' }
    const stream = (into: 'stdout' | 'stderr') => ({
      write: (part: string) => {
        text[into] += part
      },
    })
    const io: Io = {
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      environment: { GATEHOUSE_REDIS_URL: redisUrl, GATEHOUSE_FLEET: name, ...options.environment },
      cwd: options.cwd ?? import.meta.dirname,
      interrupted: options.interrupted ?? new AbortController().signal,
      atOnce: new AbortController().signal,
    }
    const exit = await run(typeof line === 'string' ? line.split(' ') : line, io)
    return { exit, ...text }
  }

  const report = async (command: Command): Promise<void> => {
    const meta = { command: randomUUID(), actor: 'test', tool: 'test' }
    await submit(log, await openReplica(log), command, meta)
  }

  const workFrom = async (
    from: Place,
    {
      health = { kind: 'passed', attempts: 1, tookMs: 2, failing: [] },
      drain = { kind: 'drained', unreachable: [] },
    }: WorkerAnswers,
  ): Promise<void> => {
    for await (const batch of log.follow(from, ending.signal)) {
      for (const each of batch) {
        if (each.kind !== 'recorded' || each.recorded.kind !== 'event') continue
        for (const job of reactions(each.recorded.event)) {
          if (job.type !== 'CheckRelease' && job.type !== 'WatchDrain') continue
          const { service, generation } = job
          await report(
            job.type === 'CheckRelease'
              ? { type: 'ReportHealth', service, generation, outcome: health }
              : { type: 'ReportDrain', service, generation, outcome: drain },
          )
        }
      }
    }
  }

  const proxy = (id: string): HandProxy => {
    const presence = createPresence(link, name, id)
    const receipts: { position: number; at: number }[] = []
    let offsetMs = 0
    const at = async (position: number, work: readonly ReleaseWork[] = []): Promise<void> => {
      receipts.push({ position, at: Date.now() + offsetMs })
      const said: ProxyPresence = {
        kind: 'proxy',
        id,
        host: 'test',
        pid: process.pid,
        version: '0.1.0',
        listen: ['127.0.0.1:8080'],
        startedAt: 0,
        position,
        tableHash: 'by-hand',
        receipts,
        quarantined: 0,
        work,
        stopping: false,
      }
      offsetMs = await presence.beat(said)
    }
    return {
      at,
      follow: async () => {
        const place = await log.head()
        await at(place.position)
        running.push(
          (async () => {
            for await (const batch of log.follow(place, ending.signal)) {
              const [last] = batch
                .flatMap((each) => (each.kind === 'recorded' ? [each.recorded.position] : []))
                .slice(-1)
              if (last !== undefined) await at(last)
            }
          })(),
        )
      },
    }
  }

  return {
    name,
    log,
    cmd,
    proxy,
    state: () => openReplica(log),
    submit: report,
    worker: async (answers = {}) => {
      await createPresence(link, name, 'worker-1').beat({
        kind: 'worker',
        id: 'worker-1',
        host: 'test',
        pid: process.pid,
        version: '0.1.0',
        startedAt: 0,
        position: 0,
      })
      running.push(workFrom(await log.head(), answers))
    },
    [Symbol.asyncDispose]: async () => {
      ending.abort()
      await Promise.allSettled(running)
      await link.close()
    },
  }
}

/** Deploys a release without a check, by alice, without waiting for anything. */
export const deploy = (fleet: TestFleet, release: string, service = 'shop'): Promise<Ran> =>
  fleet.cmd(
    ['deploy', service, '--force', '--no-wait', '--release', release, '--actor', 'alice'].concat(
      ['--reason', `ship ${release}`, '--host', `${service}.test`],
      ['--target', 'http://127.0.0.1:9'],
    ),
  )

/** Waits until the check answers with something other than undefined, for at most five seconds. */
export const eventually = async <Value>(
  check: () => Promise<Value | undefined> | Value | undefined,
): Promise<Value> => {
  const giveUpAt = Date.now() + 5_000
  for (;;) {
    const value = await check()
    if (value !== undefined) return value
    if (Date.now() > giveUpAt) throw new Error('this did not come about within five seconds')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
