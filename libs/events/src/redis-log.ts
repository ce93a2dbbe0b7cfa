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
  type Position,
  type Recorded,
  type Snapshot,
} from './log.ts'
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
const PAGE_ENTRIES = 1_000
const APPEND_SCRIPT = readFileSync(new URL('append.lua', import.meta.url), 'utf8')
/** Keeps a snapshot unless a newer one is there. KEYS[1] snapshot; ARGV[1] position, [2] hash, [3] text. */
const SAVE_SNAPSHOT_SCRIPT = `
local there = redis.call('HGET', KEYS[1], 'position')
if there and tonumber(there) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'position', ARGV[1], 'hash', ARGV[2], 'text', ARGV[3])
return 1`

export const createRedisLog = (link: RedisLink, fleet: string): EventLog => {
  const keys = logKeys(fleet)

  const append = async (
    events: readonly [GatewayEvent, ...GatewayEvent[]],
    { readPosition, scopes, idempotencyKey, meta }: AppendOptions,
  ): Promise<Appended> => {
    const reply = await using(link, (client) =>
      client.eval(
        APPEND_SCRIPT,
        3,
        keys.events,
        keys.scopes,
        keys.idempotency(idempotencyKey),
        readPosition,
        IDEMPOTENCY_MS,
        scopes.length,
        ...scopes,
        ...events.map((event) => encode(event, meta)),
      ),
    )
    return appendedOf(reply)
  }

  const page = async (from: Position, count: number): Promise<readonly RawEntry[]> =>
    using(link, (client) => client.xrange(keys.events, `${from}-0`, '+', 'COUNT', count))

  async function* read(after: Place): AsyncIterable<readonly Recorded[]> {
    let place = after
    for (;;) {
      const entries = (await page(place.position + 1, PAGE_ENTRIES)).map(entryOf)
      const [first] = entries
      if (first === undefined) {
        // A shorter log is another log, and so is one of the same length with another end.
        const found = await standing(place)
        if (found !== undefined) throw new HistoryChanged(found)
        return
      }
      if (first.position > place.position + 1 && first.hash !== '') {
        throw new HistoryChanged({ kind: 'gap', first: first.position })
      }
      for (const entry of entries) {
        const why = breakOf(place, entry)
        if (why !== undefined) throw new HistoryChanged({ kind: 'diverged', why })
        place = placeAfter(place, entry)
      }
      yield entries.map(recordedOf)
      if (entries.length < PAGE_ENTRIES) return
    }
  }

  const standing = (place: Place) => using(link, () => standingOf(link, keys.events, place))

  const head = async (): Promise<Place> => {
    const [newest] = await using(link, (client) =>
      client.xrevrange(keys.events, '+', '-', 'COUNT', 1),
    )
    return newest === undefined ? BEGINNING : entryOf(newest)
  }

  return {
    append,
    read,
    head,
    standing,
    range: async (first, last) => {
      const entries = await using(link, (client) =>
        client.xrange(keys.events, `${first}-0`, `${last}-0`),
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
      (await using(link, (client) =>
        client.eval(SAVE_SNAPSHOT_SCRIPT, 1, keys.snapshot, position, hash, text),
      )) === 1,
    trim: async (before) => {
      const covered = Number(await using(link, (client) => client.hget(keys.snapshot, 'position')))
      const keepFrom = Math.min(before, covered + 1)
      if (keepFrom <= 1) return 0
      return Number(
        await using(link, (client) => client.xtrim(keys.events, 'MINID', `${keepFrom}-0`)),
      )
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
