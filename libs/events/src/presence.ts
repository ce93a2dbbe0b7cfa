/**
 * Who is there. Proxies and workers say so every second under a lease; a proxy's word includes where
 * it is in the log, the hash of its table and the work it holds: that is its *receipt*. All of a fleet
 * lies in one hash, so that one read sees everybody at one moment.
 */
import { fleetTag } from './redis-log.ts'
import { redisScript } from './redis-script.ts'
import { using, type RedisLink } from './redis.ts'
import type { Position } from './log.ts'

/** Who has not been heard of for so long does not count any more. */
export const LEASE_MS = 5_000
export const BEAT_MS = 1_000
/** A lost member is reported by name for this long, unless it left by itself. */
const REMEMBERED_MS = 3_600_000

export type Presence = ProxyPresence | WorkerPresence

export interface ProxyPresence {
  readonly kind: 'proxy'
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly version: string
  /** Where it serves, as host:port. */
  readonly listen: readonly string[]
  readonly admin?: string
  readonly startedAt: number
  readonly position: Position
  /** Absent while it is being worked out, after a start with many services. */
  readonly tableHash?: string
  /** When it applied recent positions, on Redis's clock, in milliseconds. */
  readonly receipts: readonly Receipt[]
  /** It serves from a table that the log does not confirm at present, and why. */
  readonly stale?: string
  readonly quarantined: number
  /** Certificates that it should show to clients, and does not; absent when there are none. */
  readonly certificateProblems?: readonly CertificateProblem[]
  /** Per release that has work here or drains. */
  readonly work: readonly ReleaseWork[]
  readonly stopping: boolean
}

export interface CertificateProblem {
  readonly certificate: string
  readonly fingerprint: string
  readonly problem: string
}

export interface Receipt {
  readonly position: Position
  readonly at: number
}

export interface ReleaseWork {
  readonly service: string
  readonly release: string
  readonly revision: number
  readonly requests: number
  readonly upgraded: number
  /** The drain whose deadline this proxy has enforced, and how much work that ended. */
  readonly cut: number
}

export interface WorkerPresence {
  readonly kind: 'worker'
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly startedAt: number
  readonly position: Position
}

export interface Seen {
  readonly seenMsAgo: number
  /** Its lease has not run out. */
  readonly live: boolean
}

export interface Fleet {
  /** Redis's clock at the moment of reading, in milliseconds. */
  readonly now: number
  readonly proxies: readonly (ProxyPresence & Seen)[]
  readonly workers: readonly (WorkerPresence & Seen)[]
}

export interface PresenceWriter {
  /** Renews the lease. Returns how far Redis's clock is ahead of this one, in milliseconds. */
  readonly beat: (presence: Presence) => Promise<number>
  /** Says good-bye: nobody will miss it. */
  readonly leave: () => Promise<void>
}

/** KEYS[1] presence; ARGV[1] id, [2] what it says. Answers with the time on Redis's clock. */
const BEAT_SCRIPT = redisScript(`
local time = redis.call('TIME')
local now = string.format('%d.%03d', time[1] * 1000 + math.floor(time[2] / 1000), time[2] % 1000)
redis.call('HSET', KEYS[1], ARGV[1], now .. ' ' .. ARGV[2])
return now`)

/** KEYS[1] presence. Answers with the time and everybody. */
const READ_SCRIPT = redisScript(`
local time = redis.call('TIME')
local now = string.format('%d.%03d', time[1] * 1000 + math.floor(time[2] / 1000), time[2] % 1000)
return {now, redis.call('HGETALL', KEYS[1])}`)

const presenceKey = (fleet: string): string => `${fleetTag(fleet)}:presence`

/** `now` is the clock, in milliseconds, that the offset of a beat is stated against. */
export const createPresence = (
  link: RedisLink,
  fleet: string,
  id: string,
  now: () => number = Date.now,
): PresenceWriter => {
  const key = presenceKey(fleet)
  return {
    beat: async (presence) => {
      const before = now()
      const answered = await BEAT_SCRIPT.run(link, [key], [id, JSON.stringify(presence)])
      // Redis looked at its clock about half-way between the question and the answer.
      return Number(answered) - (before + now()) / 2
    },
    leave: async () => {
      await using(link, (client) => client.hdel(key, id))
    },
  }
}

export const readFleet = async (link: RedisLink, fleet: string): Promise<Fleet> => {
  const key = presenceKey(fleet)
  const reply = await READ_SCRIPT.run(link, [key], [])
  const [time, pairs] = Array.isArray(reply) ? (reply as readonly unknown[]) : []
  const now = Number(time)
  const proxies: (ProxyPresence & Seen)[] = []
  const workers: (WorkerPresence & Seen)[] = []
  const forgotten: string[] = []
  const fields = Array.isArray(pairs) ? pairs.map(String) : []
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [id = '', said = ''] = fields.slice(index, index + 2)
    const space = said.indexOf(' ')
    const seenMsAgo = now - Number(said.slice(0, space))
    const presence = presenceOf(said.slice(space + 1))
    if (presence === undefined || seenMsAgo > REMEMBERED_MS) forgotten.push(id)
    else {
      const seen = { seenMsAgo, live: seenMsAgo <= LEASE_MS }
      if (presence.kind === 'proxy') proxies.push({ ...presence, ...seen })
      else workers.push({ ...presence, ...seen })
    }
  }
  if (forgotten.length > 0) await using(link, (client) => client.hdel(key, ...forgotten))
  const byId = (one: { readonly id: string }, other: { readonly id: string }) =>
    one.id.localeCompare(other.id, 'en', { numeric: true })
  return { now, proxies: proxies.toSorted(byId), workers: workers.toSorted(byId) }
}

const presenceOf = (json: string): Presence | undefined => {
  try {
    // Written by `beat` of this file; what another program put there is not a presence.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const presence = JSON.parse(json) as Presence | null
    return presence?.kind === 'proxy' || presence?.kind === 'worker' ? presence : undefined
  } catch {
    return undefined
  }
}
