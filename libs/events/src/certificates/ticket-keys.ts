/**
 * The keys that TLS session tickets are sealed with, shared by all proxies of a fleet, so that a client
 * resumes its session wherever DNS leads it (RFC 5077 §4). They lie sealed in Redis; whoever finds them
 * due puts a new one in front.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { fleetTag } from '../redis-log.ts'
import { using, type RedisLink } from '../redis.ts'
import type { Sealer } from './seal.ts'

export interface TicketKey {
  /** 48 bytes, as `tls.Server.setTicketKeys` takes them. */
  readonly bytes: Buffer
  /** Unix milliseconds, on Redis's clock. */
  readonly madeAt: number
}

/** The newest first: it seals new tickets, all of them open old ones. */
export type TicketKeys = readonly TicketKey[]

export const TICKET_PURPOSE = 'session tickets'
/** RFC 8446 §4.6.1: a ticket lives seven days at most; ours as long as there is its key. */
export const TICKET_ROTATION_MS = 12 * 3_600_000
export const TICKET_KEYS_KEPT = 3
const TICKET_KEY_BYTES = 48
/** Longer than a rotation takes, and short enough to be waited for. */
const LOCK_MS = 2_000
const LOOK_AGAIN_MS = 25
const LOOKS_MAX = 100

/**
 * The keys of now. Makes the first, and a new one when the newest is older than `rotationMs`. Throws
 * when Redis cannot be used, or when what is there was sealed with an unknown key.
 */
export const readTicketKeys = async (
  link: RedisLink,
  fleet: string,
  sealer: Sealer,
  rotationMs: number = TICKET_ROTATION_MS,
): Promise<TicketKeys> => {
  const key = `${fleetTag(fleet)}:tickets`
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const now = await timeOf(link)
    const sealed = await using(link, (client) => client.get(key))
    const known = sealed === null ? [] : open(sealer, key, sealed)
    const [newest] = known
    if (newest !== undefined && now - newest.madeAt < rotationMs) return known
    const token = randomBytes(16).toString('hex')
    const locked = await using(link, (client) =>
      client.set(`${key}:lock`, token, 'PX', LOCK_MS, 'NX'),
    )
    if (locked === null) {
      await delay(LOOK_AGAIN_MS)
      continue
    }
    // Somebody may have rotated between our look and our lock.
    const seen = await using(link, (client) => client.get(key))
    if (seen !== sealed) {
      await using(link, (client) => client.del(`${key}:lock`))
      continue
    }
    const made: TicketKey = { bytes: randomBytes(TICKET_KEY_BYTES), madeAt: now }
    const keys = [made, ...known].slice(0, TICKET_KEYS_KEPT)
    await using(link, async (client) => {
      await client.set(key, sealer.seal(key, textOf(keys)))
      await client.del(`${key}:lock`)
    })
    return keys
  }
  throw new Error('The session ticket keys are being rotated by somebody who does not finish')
}

/** Seals them with the key that seals now, if an older one did: those who hold them are not concerned. */
export const resealTicketKeys = async (
  link: RedisLink,
  fleet: string,
  sealer: Sealer,
): Promise<void> => {
  const key = `${fleetTag(fleet)}:tickets`
  const sealed = await using(link, (client) => client.get(key))
  if (sealed === null || sealer.isCurrent(sealed)) return
  const known = open(sealer, key, sealed)
  await using(link, (client) => client.set(key, sealer.seal(key, textOf(known))))
}

interface StoredKey {
  readonly bytes: string
  readonly madeAt: number
}

const textOf = (keys: TicketKeys): string =>
  JSON.stringify(
    keys.map(({ bytes, madeAt }): StoredKey => ({ bytes: bytes.toString('base64'), madeAt })),
  )

const open = (sealer: Sealer, about: string, sealed: string): TicketKeys => {
  const unsealed = sealer.unseal(about, sealed)
  if (unsealed.kind === 'refused') throw new Error(`The session ticket keys: it ${unsealed.why}`)
  const stored: readonly StoredKey[] = JSON.parse(unsealed.secret)
  return stored.map(({ bytes, madeAt }) => ({ bytes: Buffer.from(bytes, 'base64'), madeAt }))
}

const timeOf = async (link: RedisLink): Promise<number> => {
  const [seconds = 0, micros = 0] = await using(link, (client) => client.time())
  return seconds * 1_000 + Math.floor(micros / 1_000)
}
