/** Reads a whole log from its beginning into a route table, once, and answers what that took. */
import { createRedisLog, openRedis, openReplica } from '@gatehouse/events'

export interface ProjectorTask {
  readonly redisUrl: string
  readonly fleet: string
}

export interface Projection {
  readonly events: number
  readonly services: number
  readonly tookMs: number
  /** Of this process alone, user and system together. */
  readonly cpuMs: number
  readonly memoryMb: number
}

const MICROSECONDS_PER_MS = 1_000
const MEGABYTE = 1_000_000

// Written by `Processes.talkTo`.
const task = JSON.parse(process.argv[2] ?? '') as ProjectorTask
const link = openRedis(task.redisUrl, { name: 'projector' })
const log = createRedisLog(link, task.fleet)
await log.head()

const cpuBefore = process.cpuUsage()
const before = performance.now()
const replica = await openReplica(log)
const tookMs = performance.now() - before
const { user, system } = process.cpuUsage(cpuBefore)

const projection: Projection = {
  events: replica.place.position,
  services: replica.table.gateway.services.size,
  tookMs,
  cpuMs: (user + system) / MICROSECONDS_PER_MS,
  memoryMb: process.memoryUsage.rss() / MEGABYTE,
}
process.send?.(projection)
await link.close()
process.disconnect?.()
