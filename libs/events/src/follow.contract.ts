/** What every log has to keep towards those who follow it: the half of `log.contract.ts` about waiting. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { BEGINNING, type EventLog, type Followed, type Place, type Recorded } from './log.ts'
import { appendMany, positionsOf } from './testing.ts'

export interface LogPromise {
  readonly claim: string
  /** Throws unless an empty log keeps the promise. */
  readonly assertKept: (log: EventLog) => Promise<void>
}

/** Follows until something fits, and returns everything up to there. */
export const followUntil = async (
  log: EventLog,
  after: Place,
  fits: (followed: Followed, soFar: readonly Followed[]) => boolean,
): Promise<readonly Followed[]> => {
  const stop = new AbortController()
  const all: Followed[] = []
  for await (const batch of log.follow(after, stop.signal)) {
    ok(batch.length > 0, 'a batch is never empty')
    for (const each of batch) {
      all.push(each)
      if (fits(each, all)) stop.abort()
    }
  }
  return all
}

const recordedIn = (followed: readonly Followed[]): readonly Recorded[] =>
  followed.flatMap((each) => (each.kind === 'recorded' ? [each.recorded] : []))

export const FOLLOW_PROMISES: readonly LogPromise[] = [
  {
    claim: 'a follower gets the history, then learns that it has caught up, then gets the news',
    assertKept: async (log) => {
      await appendMany(log, ['a', 'b'])
      const all = await followUntil(log, BEGINNING, (each) => {
        if (each.kind === 'caught-up') void appendMany(log, ['c'])
        return each.kind === 'recorded' && each.recorded.position === 3
      })
      deepEqual(
        all.map((each) => (each.kind === 'recorded' ? each.recorded.position : each.kind)),
        [1, 2, 'caught-up', 3],
      )
    },
  },
  {
    claim: 'a follower of an empty log has caught up at once',
    assertKept: async (log) => {
      const all = await followUntil(log, BEGINNING, () => true)
      deepEqual(all, [{ kind: 'caught-up', position: 0 }])
    },
  },
  {
    claim: 'a follower misses nothing of what is appended while it looks, and gets nothing twice',
    assertKept: async (log) => {
      const count = 200
      const writing = (async () => {
        for (let index = 0; index < count; index++) await appendMany(log, [`s${index}`])
      })()
      const all = await followUntil(
        log,
        BEGINNING,
        (each) => each.kind === 'recorded' && each.recorded.position === count,
      )
      await writing
      deepEqual(
        positionsOf(recordedIn(all)),
        Array.from({ length: count }, (_, index) => index + 1),
      )
    },
  },
  {
    claim: 'a follower that waits is woken by the append, not by a clock',
    assertKept: async (log) => {
      let appendedAt = 0
      await followUntil(log, BEGINNING, (each) => {
        if (each.kind !== 'caught-up') return true
        setTimeout(() => {
          appendedAt = performance.now()
          void appendMany(log, ['a'])
        }, 20)
        return false
      })
      ok(performance.now() - appendedAt < 500, 'the wait of a follower lasts a second')
    },
  },
  {
    claim: 'two followers of one log see the same',
    assertKept: async (log) => {
      const until = (each: Followed) => each.kind === 'recorded' && each.recorded.position === 20
      const following = [followUntil(log, BEGINNING, until), followUntil(log, BEGINNING, until)]
      await appendMany(
        log,
        Array.from({ length: 20 }, (_, index) => `s${index}`),
      )
      const [one = [], other = []] = await Promise.all(following)
      deepEqual(recordedIn(one), recordedIn(other))
    },
  },
  {
    claim: 'a follower ends when it is told to',
    assertKept: async (log) => {
      const stop = new AbortController()
      for await (const batch of log.follow(BEGINNING, stop.signal)) {
        equal(batch[0]?.kind, 'caught-up')
        setTimeout(() => stop.abort(), 5)
      }
      ok(stop.signal.aborted)
    },
  },
  {
    claim: 'a follower of another history is told so, and gets nothing',
    assertKept: async (log) => {
      await appendMany(log, ['a', 'b'])
      const all = await followUntil(log, { position: 1, hash: 'f'.repeat(40) }, () => true)
      deepEqual(
        all.map(({ kind }) => kind),
        ['diverged'],
      )
    },
  },
]
