/**
 * Following a stream: history first, then what comes, through restarts of Redis. On every new link the
 * follower asks whether the log still has the history that it is at. If not, it says so and stays where
 * it is: it never serves from another history by itself.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { breakOf, entryOf, placeAfter, recordedOf, type RawEntry } from './entries.ts'
import type { Entry, Followed, Place, Standing } from './log.ts'
import type { RedisLink } from './redis.ts'

const BATCH_ENTRIES = 500
/** How long Redis holds a read open. It bounds how long a dead link goes unnoticed. */
const BLOCK_MS = 1_000
const SEQUENCE_MAX = '18446744073709551615'
const RETRY_MS = 100
const ASK_AGAIN_MS = 1_000

export async function* followRedis(
  link: RedisLink,
  key: string,
  after: Place,
  signal: AbortSignal,
): AsyncIterable<readonly Followed[]> {
  const own = link.duplicate('follow')
  const stop = () => void own.close()
  signal.addEventListener('abort', stop, { once: true })
  let place = after
  let up = true
  let verified = false
  let caughtUp = false
  try {
    while (!signal.aborted) {
      let entries: readonly Entry[]
      try {
        if (!verified) {
          caughtUp = false
          const found = await standingOf(own, key, place)
          if (!up) yield [{ kind: 'link', up: true }]
          up = true
          if (found !== undefined) {
            yield [found]
            await pause(ASK_AGAIN_MS, signal)
            continue
          }
          verified = true
        }
        const blockMs = caughtUp ? BLOCK_MS : undefined
        entries = await readAfter(own, key, place, blockMs)
      } catch (error) {
        if (signal.aborted) return
        if (up) yield [{ kind: 'link', up: false }]
        up = false
        verified = false
        if (error instanceof TypeError) throw error
        await pause(RETRY_MS, signal)
        continue
      }
      const followed: Followed[] = []
      for (const entry of entries) {
        if (breakOf(place, entry) !== undefined) {
          verified = false
          break
        }
        place = placeAfter(place, entry)
        followed.push({ kind: 'recorded', recorded: recordedOf(entry) })
      }
      if (!caughtUp && verified && entries.length < BATCH_ENTRIES) {
        caughtUp = true
        followed.push({ kind: 'caught-up', position: place.position })
      }
      if (followed.length > 0) yield followed
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await own.close()
  }
}

const readAfter = async (
  link: RedisLink,
  key: string,
  place: Place,
  blockMs: number | undefined,
): Promise<readonly Entry[]> => {
  // After everything that shares the position, should somebody have written by hand.
  const from = `${place.position}-${SEQUENCE_MAX}`
  const reply: readonly [string, readonly RawEntry[]][] | null =
    blockMs === undefined
      ? await link.client.xread('COUNT', BATCH_ENTRIES, 'STREAMS', key, from)
      : await link.client.xread('COUNT', BATCH_ENTRIES, 'BLOCK', blockMs, 'STREAMS', key, from)
  return reply?.[0]?.[1].map(entryOf) ?? []
}

/** How the log stands to the place: undefined when it continues from there. */
export const standingOf = async (
  link: RedisLink,
  key: string,
  place: Place,
): Promise<Standing | undefined> => {
  const [[oldest], [newest], [here]] = await Promise.all([
    link.client.xrange(key, '-', '+', 'COUNT', 1),
    link.client.xrevrange(key, '+', '-', 'COUNT', 1),
    link.client.xrange(key, `${place.position}-0`, `${place.position}-0`),
  ])
  const last = newest === undefined ? 0 : entryOf(newest).position
  if (last < place.position) {
    return {
      kind: 'diverged',
      why: `the log ends at position ${last}, before position ${place.position} where this reader is`,
    }
  }
  if (here !== undefined) {
    const entry = entryOf(here)
    return entry.hash === place.hash || entry.hash === ''
      ? undefined
      : { kind: 'diverged', why: `the log has another history at position ${place.position}` }
  }
  // The place itself may be trimmed away: the next entry's hash then vouches for it.
  if (oldest === undefined) return undefined
  const { position: first, hash } = entryOf(oldest)
  return first > place.position + 1 && hash !== '' ? { kind: 'gap', first } : undefined
}

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  await delay(ms, undefined, { signal }).catch(() => undefined)
}
