/** What a worker does after a thousand events, done at once: a snapshot, and only the newest entry left. */
import { createRedisLog, openRedis, openReplica, writeSnapshot } from '@gatehouse/events'
import type { TestFleet } from './fleet.ts'

/** Returns how many entries are gone. */
export const snapshotAndTrim = async ({ name, redisUrl }: TestFleet): Promise<number> => {
  const link = openRedis(redisUrl, { name: 'test' })
  try {
    const log = createRedisLog(link, name)
    const { origin, place, table, quarantine } = await openReplica(log)
    await log.saveSnapshot(writeSnapshot(place, { origin, gateway: table.gateway, quarantine }))
    return await log.trim(place.position)
  } finally {
    await link.close()
  }
}
