/**
 * Hosts that clients asked a proxy for and that it has no certificate for: proxies put them down, workers
 * take them and decide. It is no part of the log, because anybody can make a proxy put one down.
 */
import { fleetTag } from './redis-log.ts'
import { redisScript } from './redis-script.ts'
import { using, type RedisLink } from './redis.ts'

export interface Wishes {
  /** Puts a host down unless it is there already; one too many is dropped. */
  readonly add: (host: string) => Promise<void>
  /** Takes the oldest ones away. Each is somebody's alone. */
  readonly take: (countMax: number) => Promise<readonly string[]>
}

/** A flood of made-up names takes no more room than this, and holds up an honest one for seconds. */
export const WISHES_MAX = 1_000
/** RFC 1035 §2.3.4. */
const HOST_CHARACTERS_MAX = 253

/** KEYS[1] wishes; ARGV[1] host, [2] how many there may be. */
const ADD_SCRIPT = redisScript(`
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
local time = redis.call('TIME')
return redis.call('ZADD', KEYS[1], 'NX', time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])`)

export const createWishes = (link: RedisLink, fleet: string): Wishes => {
  const key = `${fleetTag(fleet)}:wishes`
  return {
    add: async (host) => {
      if (host.length <= HOST_CHARACTERS_MAX) await ADD_SCRIPT.run(link, [key], [host, WISHES_MAX])
    },
    take: async (countMax) => {
      const taken = await using(link, (client) => client.zpopmin(key, countMax))
      return taken.filter((_, index) => index % 2 === 0)
    },
  }
}
