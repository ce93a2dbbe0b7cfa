/** The log in memory: the same promises without a server, for tests and simulations. */
import { setTimeout as delay } from 'node:timers/promises'
import type { GatewayEvent } from '@gatehouse/domain'
import { encode } from './codec.ts'
import { breakOf, chainHash, recordedOf } from './entries.ts'
import {
  BEGINNING,
  HistoryChanged,
  type Appended,
  type AppendOptions,
  type Entry,
  type EventLog,
  type Followed,
  type Place,
  type Recorded,
  type Snapshot,
  type Standing,
} from './log.ts'

/** The longest that a follower sleeps between two looks, should it miss being woken. */
const IDLE_MS = 1_000

export const createMemoryLog = (now: () => number = () => 0): EventLog => {
  let entries: Entry[] = []
  let newest: Place = BEGINNING
  let saved: Snapshot | undefined
  const scopes = new Map<string, number>()
  const keys = new Map<string, { readonly first: number; readonly last: number }>()
  let wake = new AbortController()

  const append = async (
    events: readonly [GatewayEvent, ...GatewayEvent[]],
    options: AppendOptions,
  ): Promise<Appended> => {
    await Promise.resolve()
    const done = keys.get(options.idempotencyKey)
    if (done !== undefined) return { kind: 'duplicate', ...done }
    for (const scope of options.scopes) {
      if ((scopes.get(scope) ?? 0) > options.readPosition) return { kind: 'conflict', scope }
    }
    const first = newest.position + 1
    const atText = now().toFixed(3)
    for (const event of events) {
      const body = encode(event, options.meta)
      newest = { position: newest.position + 1, hash: chainHash(newest.hash, atText, body) }
      entries.push({ ...newest, at: Number(atText), atText, body })
    }
    const last = newest.position
    for (const scope of options.scopes) scopes.set(scope, last)
    keys.set(options.idempotencyKey, { first, last })
    wake.abort()
    wake = new AbortController()
    return { kind: 'appended', first, last }
  }

  const standing = (place: Place): Standing | undefined => {
    const [oldest] = entries
    if (oldest !== undefined && oldest.position > place.position + 1) {
      return { kind: 'gap', first: oldest.position }
    }
    if (newest.position < place.position) {
      return {
        kind: 'diverged',
        why: `the log ends at position ${newest.position}, before position ${place.position} where this reader is`,
      }
    }
    const here = entries.find((entry) => entry.position === place.position)
    if (here !== undefined && here.hash !== place.hash) {
      return { kind: 'diverged', why: `the log has another history at position ${place.position}` }
    }
    const next = entries.find(isAfter(place))
    const why = next === undefined ? undefined : breakOf(place, next)
    return why === undefined ? undefined : { kind: 'diverged', why }
  }

  const isAfter =
    (place: Place) =>
    ({ position }: Entry): boolean =>
      position > place.position

  const entriesAfter = (place: Place): readonly Entry[] => entries.filter(isAfter(place))

  async function* read(place: Place): AsyncIterable<readonly Recorded[]> {
    await Promise.resolve()
    const found = standing(place)
    if (found !== undefined) throw new HistoryChanged(found)
    const page = entriesAfter(place).map(recordedOf)
    if (page.length > 0) yield page
  }

  async function* follow(from: Place, signal: AbortSignal): AsyncIterable<readonly Followed[]> {
    let place = from
    let caughtUp = false
    while (!signal.aborted) {
      // Taken before looking, so that what is appended meanwhile wakes this very wait.
      const woken = AbortSignal.any([wake.signal, signal])
      const found = standing(place)
      const followed: Followed[] =
        found === undefined
          ? entriesAfter(place).map((entry) => ({ kind: 'recorded', recorded: recordedOf(entry) }))
          : [found]
      if (found === undefined) place = entries.findLast(isAfter(place)) ?? place
      if (found === undefined && !caughtUp) {
        followed.push({ kind: 'caught-up', position: place.position })
      }
      caughtUp = found === undefined
      if (followed.length > 0) yield followed
      if (followed.length === 0 || !caughtUp) {
        await delay(IDLE_MS, undefined, { signal: woken }).catch(() => undefined)
      }
    }
  }

  return {
    append,
    read,
    follow,
    head: () => Promise.resolve(newest),
    standing: (place) => Promise.resolve(standing(place)),
    range: (first, last) =>
      Promise.resolve(
        entries
          .filter(({ position }) => position >= first && position <= last)
          .map((entry) => recordedOf(entry)),
      ),
    accepted: (idempotencyKey) => Promise.resolve(keys.get(idempotencyKey)),
    snapshot: () => Promise.resolve(saved),
    saveSnapshot: (snapshot) => {
      const newer = snapshot.position > (saved?.position ?? 0)
      if (newer) saved = snapshot
      return Promise.resolve(newer)
    },
    trim: (before) => {
      // The newest entry stays: the next append continues from it.
      const keepFrom = Math.min(before, (saved?.position ?? 0) + 1, newest.position)
      const kept = entries.filter((entry) => entry.position >= keepFrom)
      const trimmed = entries.length - kept.length
      entries = kept
      return Promise.resolve(trimmed)
    },
  }
}
