/**
 * What every log has to keep, told as one list for the log in memory and the one in Redis. Each promise
 * throws when a log breaks it, so that any test runner can go through them.
 */
import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict'
import { chainHash } from './entries.ts'
import { FOLLOW_PROMISES, followUntil, type LogPromise } from './follow.contract.ts'
import { BEGINNING, HistoryChanged, type Meta } from './log.ts'
import { appendMany, meta, options, paused, positionsOf, readAll } from './testing.ts'

export const LOG_PROMISES: readonly LogPromise[] = [
  ...FOLLOW_PROMISES,
  {
    claim: 'an empty log is at the beginning',
    assertKept: async (log) => {
      deepEqual(await log.head(), BEGINNING)
      deepEqual(await readAll(log, BEGINNING), [])
      equal(await log.standing(BEGINNING), undefined)
      equal(await log.snapshot(), undefined)
    },
  },
  {
    claim: 'positions are counted 1, 2, 3 without gaps',
    assertKept: async (log) => {
      await appendMany(log, ['a', 'b'])
      const appended = await log.append([paused('c'), paused('d')], options(2))
      deepEqual(appended, { kind: 'appended', first: 3, last: 4 })
      deepEqual(positionsOf(await readAll(log, BEGINNING)), [1, 2, 3, 4])
      equal((await log.head()).position, 4)
    },
  },
  {
    claim: 'I12 an event is read as it was written, with its actor, its reason and its time',
    assertKept: async (log) => {
      const written: Meta = { ...meta, reason: 'hotfix', cause: 7, traceparent: '00-ab-cd-01' }
      await log.append([paused('a', 5), paused('b')], options(0, { meta: written }))
      const [first, second] = await readAll(log, BEGINNING)
      ok(first?.kind === 'event' && second?.kind === 'event')
      deepEqual({ ...first.event }, paused('a', 5))
      deepEqual({ ...first.meta }, written)
      ok(Number.isFinite(first.at) && first.at > 0)
      equal(second.at, first.at, 'events of one append happened at one time')
    },
  },
  {
    claim: 'an append whose scope has moved since appends nothing, and says which scope it was',
    assertKept: async (log) => {
      await log.append([paused('a')], options(0, { scopes: ['service:a', 'host:x'] }))
      const stale = options(0, { scopes: ['service:b', 'host:x'] })
      deepEqual(await log.append([paused('b'), paused('b')], stale), {
        kind: 'conflict',
        scope: 'host:x',
      })
      equal((await log.head()).position, 1)
    },
  },
  {
    claim: 'an append is not disturbed by other scopes, nor by what its decision has seen',
    assertKept: async (log) => {
      await log.append([paused('a')], options(0, { scopes: ['service:a'] }))
      const other = await log.append([paused('b')], options(0, { scopes: ['service:b'] }))
      equal(other.kind, 'appended')
      const seen = await log.append([paused('a')], options(1, { scopes: ['service:a'] }))
      equal(seen.kind, 'appended')
    },
  },
  {
    claim: 'an append that failed leaves no trace in its scopes',
    assertKept: async (log) => {
      await log.append([paused('a')], options(0, { scopes: ['service:a'] }))
      await log.append([paused('b')], options(0, { scopes: ['service:b', 'service:a'] }))
      const after = await log.append([paused('b')], options(0, { scopes: ['service:b'] }))
      equal(after.kind, 'appended')
    },
  },
  {
    claim: 'A17 of fifty appends that were decided at one position, one is taken',
    assertKept: async (log) => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, holdMs) =>
          log.append([paused('a', holdMs)], options(0, { scopes: ['service:a'] })),
        ),
      )
      equal(answers.filter(({ kind }) => kind === 'appended').length, 1)
      equal(answers.filter(({ kind }) => kind === 'conflict').length, 49)
      equal((await log.head()).position, 1)
    },
  },
  {
    claim: 'M5 the same key again appends nothing, and answers with the first append',
    assertKept: async (log) => {
      const once = options(0, { scopes: ['service:a'], idempotencyKey: 'job-1' })
      await log.append([paused('z')], options(0))
      await log.append([paused('a'), paused('a')], once)
      // The scope has moved meanwhile, by this very append: that is not a conflict.
      deepEqual(await log.append([paused('a')], once), { kind: 'duplicate', first: 2, last: 3 })
      deepEqual(await log.accepted('job-1'), { first: 2, last: 3 })
      equal(await log.accepted('job-2'), undefined)
      equal((await log.head()).position, 3)
    },
  },
  {
    claim: 'every entry has a hash that vouches for all before it',
    assertKept: async (log) => {
      await appendMany(log, ['a', 'b', 'c'])
      let hash = ''
      for (const entry of await readAll(log, BEGINNING)) {
        equal(entry.hash, chainHash(hash, entry.atText, entry.body))
        notEqual(entry.hash, hash)
        hash = entry.hash
      }
      deepEqual(await log.head().then((head) => head.hash), hash)
    },
  },
  {
    claim: 'reading goes on from any place of the history',
    assertKept: async (log) => {
      await appendMany(log, ['a', 'b', 'c'])
      const [first, second] = await readAll(log, BEGINNING)
      ok(first !== undefined && second !== undefined)
      deepEqual(positionsOf(await readAll(log, first)), [2, 3])
      deepEqual(positionsOf(await readAll(log, await log.head())), [])
    },
  },
  {
    claim: 'reading from a place of another history is refused, with the reason',
    assertKept: async (log) => {
      await appendMany(log, ['a', 'b'])
      const other = 'f'.repeat(40)
      for (const place of [
        { position: 1, hash: other },
        { position: 2, hash: other },
        { position: 3, hash: other },
      ]) {
        const standing = await log.standing(place)
        equal(standing?.kind, 'diverged')
        await rejects(readAll(log, place), (error: unknown) => {
          ok(error instanceof HistoryChanged)
          equal(error.found.kind, 'diverged')
          return true
        })
      }
      ok(
        /ends at position 2/.test(JSON.stringify(await log.standing({ position: 3, hash: other }))),
      )
    },
  },
  {
    claim: 'a range has both of its ends, and what was not there is not in it',
    assertKept: async (log) => {
      await appendMany(log, ['a', 'b', 'c', 'd'])
      deepEqual(positionsOf(await log.range(2, 3)), [2, 3])
      deepEqual(positionsOf(await log.range(4, 9)), [4])
      deepEqual(await log.range(5, 9), [])
    },
  },
  {
    claim: 'a snapshot is replaced only by a newer one',
    assertKept: async (log) => {
      equal(await log.saveSnapshot({ position: 5, hash: 'e', text: 'five' }), true)
      equal(await log.saveSnapshot({ position: 4, hash: 'd', text: 'four' }), false)
      equal(await log.saveSnapshot({ position: 5, hash: 'e', text: 'again' }), false)
      deepEqual(await log.snapshot(), { position: 5, hash: 'e', text: 'five' })
      equal(await log.saveSnapshot({ position: 10, hash: 'f', text: 'ten' }), true)
      deepEqual(await log.snapshot(), { position: 10, hash: 'f', text: 'ten' })
    },
  },
  {
    claim: 'nothing is trimmed that the stored snapshot does not cover',
    assertKept: async (log) => {
      await appendMany(log, ['a', 'b', 'c', 'd'])
      equal(await log.trim(4), 0)
      const [, second] = await readAll(log, BEGINNING)
      await log.saveSnapshot({ position: 2, hash: second?.hash ?? '', text: '' })
      equal(await log.trim(4), 2)
      deepEqual(positionsOf(await log.range(1, 9)), [3, 4])
    },
  },
  {
    claim: 'the log goes on where it was when everything that may go was trimmed',
    assertKept: async (log) => {
      await appendMany(log, ['a', 'b', 'c'])
      const head = await log.head()
      await log.saveSnapshot({ ...head, text: '' })
      await log.trim(head.position + 1)
      deepEqual(await log.head().then(({ position, hash }) => ({ position, hash })), {
        position: head.position,
        hash: head.hash,
      })
      deepEqual(await log.append([paused('d')], options(3)), {
        kind: 'appended',
        first: 4,
        last: 4,
      })
      deepEqual(positionsOf(await readAll(log, head)), [4])
    },
  },
  {
    claim: 'whoever is before what was trimmed is told where the log begins',
    assertKept: async (log) => {
      await appendMany(log, ['a', 'b', 'c', 'd'])
      const [first] = await readAll(log, BEGINNING)
      ok(first !== undefined)
      await log.saveSnapshot({ ...(await log.head()), text: '' })
      await log.trim(4)
      const gap = { kind: 'gap', first: 4 }
      deepEqual(await log.standing(first), gap)
      deepEqual(await followUntil(log, first, () => true), [gap])
      await rejects(readAll(log, BEGINNING), (error: unknown) => {
        ok(error instanceof HistoryChanged)
        deepEqual(error.found, gap)
        return true
      })
    },
  },
]
