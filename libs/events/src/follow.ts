/**
 * Following a stream: history first, then what comes, through restarts of Redis. On every new link, and
 * whenever nothing has come for a while, the follower asks whether the log still has the history that it
 * is at. If not, it says so and stays where it is: it never serves from another history by itself.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { breakOf, entryOf, placeAfter, recordedOf, type RawEntry } from './entries.ts'
import type { Followed, Place, Standing } from './log.ts'
import type { RedisLink } from './redis.ts'

const BATCH_ENTRIES = 500
/** How long Redis holds a read open, and so how soon a log that was emptied is noticed. */
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
  // It has to hear at once that the link is down, and then to find back without end.
  const own = link.duplicate('follow', 'none')
  const stop = () => void own.close()
  signal.addEventListener('abort', stop, { once: true })
  let place = after
  // After everything that shares the position, should somebody have written by hand.
  let lastId = `${after.position}-${SEQUENCE_MAX}`
  let up = true
  let caughtUp = false
  /** The log was seen to continue from the place, on this link, and nothing spoke against it since. */
  let verified = false
  try {
    while (!signal.aborted) {
      let raw: readonly RawEntry[]
      try {
        if (!verified) {
          const found = await standingOf(own, key, place)
          if (!up) yield [{ kind: 'link', up: true }]
          up = true
          if (found !== undefined) {
            caughtUp = false
            yield [found]
            await pause(ASK_AGAIN_MS, signal)
            continue
          }
          verified = true
        }
        raw = await readAfter(own, key, lastId, caughtUp ? BLOCK_MS : undefined)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof TypeError) throw error
        if (up) yield [{ kind: 'link', up: false }]
        up = false
        caughtUp = false
        verified = false
        await pause(RETRY_MS, signal)
        continue
      }
      const followed: Followed[] = []
      for (const each of raw) {
        const entry = entryOf(each)
        if (breakOf(place, entry) !== undefined) {
          verified = false
          break
        }
        place = placeAfter(place, entry)
        lastId = each[0]
        followed.push({ kind: 'recorded', recorded: recordedOf(entry) })
      }
      if (!caughtUp && verified && raw.length < BATCH_ENTRIES) {
        caughtUp = true
        followed.push({ kind: 'caught-up', position: place.position })
      }
      // Nothing came: so it may be that nothing is there any more.
      if (raw.length === 0 && followed.length === 0) verified = false
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
  lastId: string,
  blockMs: number | undefined,
): Promise<readonly RawEntry[]> => {
  const reply: readonly [string, readonly RawEntry[]][] | null =
    blockMs === undefined
      ? await link.client.xread('COUNT', BATCH_ENTRIES, 'STREAMS', key, lastId)
      : await link.client.xread('COUNT', BATCH_ENTRIES, 'BLOCK', blockMs, 'STREAMS', key, lastId)
  return reply?.[0]?.[1] ?? []
}

/** How the log stands to the place: undefined when it continues from there. */
export const standingOf = async (
  link: RedisLink,
  key: string,
  place: Place,
): Promise<Standing | undefined> => {
  const after = `(${place.position}-${SEQUENCE_MAX}`
  const [[newest], [here], [next]] = await Promise.all([
    link.client.xrevrange(key, '+', '-', 'COUNT', 1),
    link.client.xrange(key, `${place.position}-0`, `${place.position}-0`),
    link.client.xrange(key, after, '+', 'COUNT', 1),
  ])
  const last = newest === undefined ? 0 : entryOf(newest).position
  if (last < place.position) {
    return {
      kind: 'diverged',
      why: `the log ends at position ${last}, before position ${place.position} where this reader is`,
    }
  }
  const hashHere = here === undefined ? '' : entryOf(here).hash
  if (hashHere !== '' && hashHere !== place.hash) {
    return {
      kind: 'diverged',
      why: `the log has another history at position ${place.position}`,
    }
  }
  if (next === undefined) return undefined
  // The place itself may be trimmed away: the next entry's hash then vouches for it.
  const entry = entryOf(next)
  const jumps = entry.position > place.position + 1
  // What was written by hand may jump, so it hides whether anything before it was trimmed.
  const hidden = entry.hash === '' && (here !== undefined || place.position === 0)
  if (jumps && !hidden) return { kind: 'gap', first: entry.position }
  const why = breakOf(place, entry)
  return why === undefined ? undefined : { kind: 'diverged', why }
}

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  await delay(ms, undefined, { signal }).catch(() => undefined)
}
