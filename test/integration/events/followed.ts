/** What a follower was given so far, and a way to wait for more. */
import type { EventLog, Followed, Place } from '@gatehouse/events'
import { eventually } from '../../support/eventually.ts'

export interface Watched extends AsyncDisposable {
  readonly all: readonly Followed[]
  /** Kinds in order, entries as their positions. */
  readonly brief: () => readonly (string | number)[]
  /** The positions of all entries, in the order of their arrival. */
  readonly positions: () => readonly number[]
  /** Waits until the newest thing that came is of the kind. */
  readonly until: (kind: Followed['kind'], withinMs?: number) => Promise<void>
  readonly untilPosition: (position: number, withinMs?: number) => Promise<void>
}

export const watch = (log: EventLog, after: Place): Watched => {
  const stop = new AbortController()
  const all: Followed[] = []
  const watching = (async () => {
    for await (const batch of log.follow(after, stop.signal)) all.push(...batch)
  })()
  const positions = () =>
    all.flatMap((each) => (each.kind === 'recorded' ? [each.recorded.position] : []))
  return {
    all,
    brief: () => all.map((each) => (each.kind === 'recorded' ? each.recorded.position : each.kind)),
    positions,
    until: async (kind, withinMs) => {
      await eventually(`a follower gets ${kind}`, () => all.at(-1)?.kind === kind, withinMs)
    },
    untilPosition: async (position, withinMs) => {
      await eventually(
        `a follower gets position ${position}`,
        () => positions().at(-1) === position,
        withinMs,
      )
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await watching
    },
  }
}
