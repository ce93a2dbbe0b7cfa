/** The log on a Redis stream. Everything of a fleet lies in one hash slot, so that a script sees it all. */
import { readFileSync } from 'node:fs'
import type { GatewayEvent } from '@gatehouse/domain'
import { encode } from './codec.ts'
import { breakOf, entryOf, placeAfter, recordedOf, type RawEntry } from './entries.ts'
import { followRedis, standingOf } from './follow.ts'
import {
  BEGINNING,
  HistoryChanged,
  type Appended,
  type AppendOptions,
  type EventLog,
  type Place,
  type Recorded,
  type Snapshot,
} from './log.ts'
import { openPages, PAGE_ENTRIES } from './redis-pages.ts'
import { redisScript } from './redis-script.ts'
import { using, type RedisLink } from './redis.ts'

export interface LogKeys {
  readonly events: string
  readonly scopes: string
  readonly snapshot: string
  readonly idempotency: (key: string) => string
}

/** Keys of a fleet share one hash tag, which BullMQ's prefix has to be as well. */
export const fleetTag = (fleet: string): string => `{gatehouse:${fleet}}`

export const logKeys = (fleet: string): LogKeys => {
  const tag = fleetTag(fleet)
  return {
    events: `${tag}:events`,
    scopes: `${tag}:scopes`,
    snapshot: `${tag}:snapshot`,
    idempotency: (key) => `${tag}:idem:${key}`,
  }
}

const IDEMPOTENCY_MS = 24 * 3_600_000
/** Looking backwards for the newest entry of the chain goes in steps of so many. */
const LOOK_BACK_ENTRIES = 100
const APPEND_SCRIPT = redisScript(readFileSync(new URL('append.lua', import.meta.url), 'utf8'))
/** Keeps a snapshot unless a newer one is there. KEYS[1] snapshot; ARGV[1] position, [2] hash, [3] text. */
const SAVE_SNAPSHOT_SCRIPT = redisScript(`
local there = redis.call('HGET', KEYS[1], 'position')
if there and tonumber(there) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'position', ARGV[1], 'hash', ARGV[2], 'text', ARGV[3])
return 1`)

export const createRedisLog = (link: RedisLink, fleet: string): EventLog => {
  const keys = logKeys(fleet)

  const append = async (
    events: readonly [GatewayEvent, ...GatewayEvent[]],
    { readPosition, scopes, idempotencyKey, meta }: AppendOptions,
  ): Promise<Appended> => {
    const bodies = events.map((event) => encode(event, meta))
    const reply = await APPEND_SCRIPT.run(
      link,
      [keys.events, keys.scopes, keys.idempotency(idempotencyKey)],
      [readPosition, IDEMPOTENCY_MS, scopes.length, ...scopes, ...bodies],
    )
    return appendedOf(reply)
  }

  async function* read(after: Place): AsyncIterable<readonly Recorded[]> {
    const pages = openPages(link, keys.events)
    const page = (from: string): Promise<readonly RawEntry[]> => {
      const fetched = pages.from(from)
      // A page is asked for ahead of time. When nobody comes to take it, its failure is nobody's.
      fetched.catch(() => undefined)
      return fetched
    }
    try {
      let place = after
      let next = page(`${after.position + 1}-0`)
      for (;;) {
        const raw = await next
        const last = raw.length < PAGE_ENTRIES ? undefined : raw.at(-1)
        if (last !== undefined) next = page(`(${last[0]}`)
        const entries = raw.map(entryOf)
        if (entries.length === 0) {
          // A shorter log is another log, and so is one of the same length with another end.
          const found = await standing(place)
          if (found !== undefined) throw new HistoryChanged(found)
          return
        }
        for (const entry of entries) {
          const why = breakOf(place, entry)
          if (why !== undefined) {
            throw new HistoryChanged((await standing(place)) ?? { kind: 'diverged', why })
          }
          place = entry.hash === '' ? placeAfter(place, entry) : entry
        }
        yield entries.map(recordedOf)
        if (last === undefined) return
      }
    } finally {
      pages.close()
    }
  }

  const standing = (place: Place) => using(link, () => standingOf(link, keys.events, place))

  /** The newest entry, and the newest one of the chain: the same, unless somebody wrote by hand. */
  const newest = async (): Promise<{ readonly head: Place; readonly chained: number }> => {
    let head: Place | undefined
    let from = '+'
    let count = 1
    for (;;) {
      const entries: readonly RawEntry[] = await using(link, (client) =>
        client.xrevrange(keys.events, from, '-', 'COUNT', count),
      )
      for (const entry of entries.map(entryOf)) {
        head ??= entry
        if (entry.hash === '') continue
        const { hash, position } = entry
        return { head: { position: head.position, hash }, chained: position }
      }
      const oldest = entries.at(-1)
      if (oldest === undefined || entries.length < count) {
        return { head: head ?? BEGINNING, chained: 0 }
      }
      from = `(${oldest[0]}`
      count = LOOK_BACK_ENTRIES
    }
  }

  return {
    append,
    read,
    head: async () => (await newest()).head,
    standing,
    range: async (first, last) => {
      const entries = await using(link, (client) =>
        // An end without a second part includes everything that shares the position.
        client.xrange(keys.events, `${first}-0`, `${last}`),
      )
      return entries.map((entry) => recordedOf(entryOf(entry)))
    },
    accepted: async (idempotencyKey) => {
      const text = await using(link, (client) => client.get(keys.idempotency(idempotencyKey)))
      const [first, last] = (text ?? '').split('-').map(Number)
      return first === undefined || last === undefined ? undefined : { first, last }
    },
    follow: (after, signal) => followRedis(link, keys.events, after, signal),
    snapshot: async () => {
      const [position, hash, text] = await using(link, (client) =>
        client.hmget(keys.snapshot, 'position', 'hash', 'text'),
      )
      if (position === undefined || position === null || hash === null || text === null)
        return undefined
      return { position: Number(position), hash: hash ?? '', text: text ?? '' }
    },
    saveSnapshot: async ({ position, hash, text }: Snapshot) =>
      (await SAVE_SNAPSHOT_SCRIPT.run(link, [keys.snapshot], [position, hash, text])) === 1,
    trim: async (before) => {
      const covered = Number(await using(link, (client) => client.hget(keys.snapshot, 'position')))
      // The newest entry of the chain stays: the next append continues from it.
      const { chained } = await newest()
      const keepFrom = Math.min(before, covered + 1, chained)
      if (keepFrom <= 1) return 0
      return using(link, (client) => client.xtrim(keys.events, 'MINID', `${keepFrom}-0`))
    },
  }
}

const appendedOf = (reply: unknown): Appended => {
  if (!Array.isArray(reply)) throw new TypeError('the append script answered without a list')
  const [kind, first, last]: unknown[] = reply
  if (kind === 'conflict') return { kind, scope: String(first) }
  if (kind === 'appended' || kind === 'duplicate') {
    return { kind, first: Number(first), last: Number(last) }
  }
  throw new TypeError(`the append script answered "${String(kind)}"`)
}
