/** A fleet of its own on some Redis: a name that nobody else has, and its log. */
import { randomUUID } from 'node:crypto'
import { createRedisLog, openRedis, type EventLog } from '@gatehouse/events'

export interface BenchFleet extends AsyncDisposable {
  readonly name: string
  readonly redisUrl: string
  readonly log: EventLog
}

export const openFleet = (redisUrl: string): BenchFleet => {
  const name = `bench-${randomUUID().slice(0, 8)}`
  const link = openRedis(redisUrl, { name })
  return {
    name,
    redisUrl,
    log: createRedisLog(link, name),
    [Symbol.asyncDispose]: () => link.close(),
  }
}
