/**
 * A proxy without listeners, whose clock shows microseconds: it runs the proxy's own follower, data plane,
 * local copy and heartbeat, and answers when it applied which position.
 *
 * A real proxy states whole milliseconds, corrected by what it learns of Redis's clock: good enough for
 * people, and too coarse for what is measured here.
 */
import { createPresence, createRedisLog, openLocalCopy, openRedis } from '@gatehouse/events'
import type { ProxyPresence, Receipt } from '@gatehouse/events'
import { pino } from 'pino'
import { startFollower } from '../../../apps/proxy/src/control/follower.ts'
import { startHeartbeat } from '../../../apps/proxy/src/control/heartbeat.ts'
import { createDataPlane } from '../../../apps/proxy/src/data-plane.ts'

export interface FollowerTask {
  readonly redisUrl: string
  readonly fleet: string
  readonly id: string
  readonly dataDir: string
}

/** Waits for the position, and answers with all receipts after the last question, as `Receipt[]`. */
export interface FollowerQuestion {
  readonly upTo: number
}

const CLOCK_QUESTIONS = 200

// Written by `Processes.talkTo`.
const task = JSON.parse(process.argv[2] ?? '') as FollowerTask
const link = openRedis(task.redisUrl, { name: task.id, patience: 'endless' })

/** How far Redis's clock is ahead of ours: of many questions, the quickest answer tells it best. */
const clockAheadMs = async (): Promise<number> => {
  let quickestMs = Number.POSITIVE_INFINITY
  let aheadMs = 0
  for (let asked = 0; asked < CLOCK_QUESTIONS; asked++) {
    const before = ownNow()
    const [seconds, microseconds] = await link.client.time()
    const after = ownNow()
    if (after - before >= quickestMs) continue
    quickestMs = after - before
    aheadMs = Number(seconds) * 1_000 + Number(microseconds) / 1_000 - (before + after) / 2
  }
  return aheadMs
}
const ownNow = (): number => performance.timeOrigin + performance.now()
const aheadMs = await clockAheadMs()
const now = (): number => ownNow() + aheadMs

const logger = pino({ level: 'silent' })
const dataPlane = createDataPlane({ log: logger })
let receipts: Receipt[] = []
let seen = 0
let question: FollowerQuestion | undefined

const collect = (): void => {
  receipts.push(...follower.view().receipts.filter(({ position }) => position > seen))
  seen = receipts.at(-1)?.position ?? seen
  if (question === undefined || seen < question.upTo) return
  process.send?.(receipts)
  receipts = []
  question = undefined
}

const follower = startFollower({
  log: createRedisLog(link, task.fleet),
  check: () => Promise.resolve(),
  copy: await openLocalCopy(task.dataDir, (reason) => logger.error(reason)),
  dataPlane,
  certificates: { prepare: () => undefined, follow: () => {} },
  now,
  onProgress: () => {
    collect()
    heartbeat.beat()
  },
  logger,
  signal: new AbortController().signal,
})
const startedAt = Date.now()
const heartbeat = startHeartbeat(
  createPresence(link, task.fleet, task.id),
  (): ProxyPresence => {
    const view = follower.view()
    return {
      kind: 'proxy',
      id: task.id,
      host: 'bench',
      pid: process.pid,
      version: 'bench',
      listen: [],
      startedAt,
      position: view.position,
      ...(view.tableHash === undefined ? {} : { tableHash: view.tableHash }),
      receipts: view.receipts,
      quarantined: view.quarantine.total,
      work: dataPlane.work(),
      stopping: false,
    }
  },
  { now, learn: () => undefined },
  logger,
)

process.on('message', (asked: FollowerQuestion) => {
  question = asked
  collect()
})
process.on('disconnect', () => process.exit(1))
await follower.ready
process.send?.('ready')
