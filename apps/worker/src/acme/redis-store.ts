/**
 * What all workers of a fleet have to know of the CA, in Redis: the account, the orders that are under way,
 * and how many were placed. Keys lie there sealed, and never without the fleet's secret.
 */
import { hash } from 'node:crypto'
import { fleetTag, type RedisLink, type Sealer } from '@gatehouse/events'
import { z } from 'zod'
import type { Account, AccountStore } from './account.ts'
import type { OpenedOrder, OrderStore } from './order.ts'
import { AcmeFailure } from './problem.ts'

export interface AcmeStore {
  readonly account: (directory: string) => AccountStore
  /** `name` tells orders apart: certificate, generation and where it is ordered. */
  readonly order: (name: string) => OrderStore
  /**
   * Takes a place for one more order in the first hour that has one, `hour` or later, and answers with that
   * hour; the same name has its place until its hour has come. Hours are counted from 1970.
   */
  readonly takePlace: (name: string, hour: number, placesMax: number) => Promise<number>
}

/** A CA forgets an order that nobody finishes within a week (RFC 8555 §7.1.3 leaves it to the CA). */
const ORDER_SECONDS_MAX = 8 * 86_400

const accountForm = z.object({ key: z.string(), url: z.url().exactOptional() })
const orderForm = z.object({ url: z.url(), key: z.string() })

/**
 * KEYS[1] places taken by hour, [2] places kept by name; ARGV[1] name, [2] this hour, [3] places of an hour.
 * What lies in the past is forgotten on the way.
 */
const TAKE_PLACE = `
local hour = tonumber(ARGV[2])
for _, past in ipairs(redis.call('HKEYS', KEYS[1])) do
  if tonumber(past) < hour then redis.call('HDEL', KEYS[1], past) end
end
local kept = redis.call('HGET', KEYS[2], ARGV[1])
if kept and tonumber(kept) > hour then return tonumber(kept) end
redis.call('HDEL', KEYS[2], ARGV[1])
if kept and tonumber(kept) == hour then return hour end
local free = hour
while tonumber(redis.call('HGET', KEYS[1], free) or 0) >= tonumber(ARGV[3]) do free = free + 1 end
redis.call('HINCRBY', KEYS[1], free, 1)
if free > hour then redis.call('HSET', KEYS[2], ARGV[1], free) end
return free`

export const openAcmeStore = (link: RedisLink, fleet: string, sealer: Sealer): AcmeStore => {
  const { client } = link
  const prefix = `${fleetTag(fleet)}:acme`
  const read = async <Form>(
    key: string,
    what: string,
    form: z.ZodType<Form>,
  ): Promise<Form | undefined> => {
    const sealed = await client.get(key)
    if (sealed === null) return undefined
    const unsealed = sealer.unseal(key, sealed)
    if (unsealed.kind === 'refused') throw new AcmeFailure(`the ${what} ${unsealed.why}`)
    const value = form.parse(JSON.parse(unsealed.secret))
    // A secret that replaces another seals what is used; the other one can go when all has been.
    if (!sealer.isCurrent(sealed)) {
      await client.set(key, sealer.seal(key, unsealed.secret), 'KEEPTTL')
    }
    return value
  }
  return {
    account: (directory) => {
      const key = `${prefix}:account:${hash('sha256', directory)}`
      const load = (): Promise<Account | undefined> =>
        read(key, `account at ${directory}`, accountForm)
      const seal = (account: Account): string => sealer.seal(key, JSON.stringify(account))
      return {
        load,
        add: async (account) => {
          const added = await client.set(key, seal(account), 'NX')
          return added === null ? ((await load()) ?? account) : account
        },
        update: async (account) => void (await client.set(key, seal(account))),
        remove: async () => void (await client.del(key)),
      }
    },
    order: (name) => {
      const key = `${prefix}:order:${name}`
      const seal = (order: OpenedOrder): string => sealer.seal(key, JSON.stringify(order))
      return {
        load: () => read(key, `order ${name}`, orderForm),
        save: async (order) => void (await client.set(key, seal(order), 'EX', ORDER_SECONDS_MAX)),
        remove: async () => void (await client.del(key)),
      }
    },
    takePlace: async (name, hour, placesMax) => {
      const keys = [`${prefix}:orders`, `${prefix}:places`]
      return Number(await client.eval(TAKE_PLACE, keys.length, ...keys, name, hour, placesMax))
    },
  }
}
