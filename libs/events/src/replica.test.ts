import { describe, expect, it } from 'vitest'
import type { Recorded, Snapshot } from './log.ts'
import { HistoryChanged } from './log.ts'
import { createMemoryLog } from './memory-log.ts'
import { NEWEST_MAX } from './quarantine.ts'
import { apply, catchUp, emptyReplica, openReplica, type Keeper, type Replica } from './replica.ts'
import { writeSnapshot } from './snapshot.ts'
import { appendAll, options, readAll, variedHistory } from './testing.ts'

const snapshotOf = ({ origin, place, table, quarantine }: Replica): Snapshot =>
  writeSnapshot(place, { origin, gateway: table.gateway, quarantine })

/** A log with a snapshot somewhere in the middle. */
const logWithSnapshot = async (at: number, events = variedHistory()) => {
  const log = createMemoryLog()
  await appendAll(log, events.slice(0, at))
  const earlier = await openReplica(log)
  await log.saveSnapshot(snapshotOf(earlier))
  await appendAll(log, events.slice(at))
  return { log, earlier }
}

const OTHER_HISTORY = [{ type: 'ServiceResumed', service: 'x' } as const, ...variedHistory()]

const stateOf = (replica: Replica) => ({
  gateway: replica.table.gateway,
  routes: replica.table.routes,
  place: { ...replica.place },
  hash: replica.tableHash.value(),
})

const foreign = (position: number): Recorded => ({
  kind: 'quarantined',
  position,
  at: 0,
  atText: '',
  hash: '',
  body: '',
  type: 'unreadable',
  why: 'was not written by an append',
})

describe('a replica', () => {
  it('L4 is the same by replay, event by event, and from a snapshot with what came after', async () => {
    for (const at of [1, 7, 20]) {
      const { log, earlier } = await logWithSnapshot(at)
      const [replayed, opened] = [emptyReplica(), await openReplica(log)]
      await catchUp(log, replayed)
      await catchUp(log, earlier)
      expect(stateOf(opened)).toStrictEqual(stateOf(replayed))
      expect(stateOf(earlier)).toStrictEqual(stateOf(replayed))
    }
  })

  it('A24 is the same from a snapshot when what it covers was trimmed away', async () => {
    const { log } = await logWithSnapshot(20)
    const before = stateOf(await openReplica(log))
    expect(await log.trim(1_000)).toBeGreaterThan(0)
    expect(stateOf(await openReplica(log))).toStrictEqual(before)
    await expect(catchUp(log, emptyReplica())).rejects.toThrow(HistoryChanged)
  })

  it('is replayed around a snapshot that cannot be read, or is of another history', async () => {
    for (const snapshot of [
      { position: 3, hash: 'x', text: 'garbage' },
      { ...snapshotOf(emptyReplica()), position: 3, hash: 'f'.repeat(40) },
    ]) {
      const log = createMemoryLog()
      await appendAll(log, variedHistory())
      await log.saveSnapshot(snapshot)
      const replayed = emptyReplica()
      await catchUp(log, replayed)
      expect(stateOf(await openReplica(log))).toStrictEqual(stateOf(replayed))
    }
  })

  it('L6 is of one log, however it was opened, and is not opened from another that was trimmed', async () => {
    const { log } = await logWithSnapshot(20)
    const [first] = await readAll(log, { position: 0, hash: '' })
    const { origin } = await openReplica(log)
    expect(origin).toBe(first?.hash)
    await log.trim(1_000)
    expect((await openReplica(log)).origin).toBe(origin)
    const kept: unknown[] = []
    const keeper: Keeper = { rebase: async (from) => void kept.push(from), keep: () => undefined }
    const { log: other } = await logWithSnapshot(20, OTHER_HISTORY)
    await other.trim(1_000)
    await expect(openReplica(other, keeper, origin)).rejects.toThrow('has another beginning')
    expect(kept).toStrictEqual([])
    expect((await openReplica(log, keeper, origin)).origin).toBe(origin)
    expect(kept).toHaveLength(1)
  })

  it('L6 of a log that is whole is opened in spite of a snapshot of another', async () => {
    const log = createMemoryLog()
    await appendAll(log, variedHistory())
    const { origin } = await openReplica(log)
    const { log: other } = await logWithSnapshot(20, OTHER_HISTORY)
    const stray = await other.snapshot()
    if (stray !== undefined) await log.saveSnapshot(stray)
    const opened = await openReplica(log, undefined, origin)
    expect(opened.origin).toBe(origin)
    expect(opened.place.position).toBe((await log.head()).position)
  })

  it('A25 counts what it cannot read, keeps the newest of it, and goes on after it', async () => {
    const log = createMemoryLog()
    const replica = emptyReplica()
    for (let position = 1; position <= NEWEST_MAX + 5; position++) {
      expect(apply(replica, foreign(position))).toStrictEqual([])
    }
    expect(replica.quarantine.total).toBe(NEWEST_MAX + 5)
    expect(replica.quarantine.newest).toHaveLength(NEWEST_MAX)
    expect(replica.quarantine.newest.at(-1)?.position).toBe(NEWEST_MAX + 5)
    expect(replica.quarantine.newest[0]?.position).toBe(6)
    await appendAll(log, variedHistory())
    for (const recorded of await readAll(log, { position: 0, hash: '' })) {
      apply(replica, { ...recorded, position: recorded.position + NEWEST_MAX + 5 })
    }
    expect(replica.table.routes.size).toBeGreaterThan(0)
  })

  it('keeps the hash of the chain over an entry that has none', () => {
    const replica = emptyReplica()
    replica.place = { position: 4, hash: 'abc' }
    apply(replica, foreign(9))
    expect(replica.place).toStrictEqual({ position: 9, hash: 'abc' })
  })

  it('hands everything that it is made of to whoever keeps it', async () => {
    const { log, earlier } = await logWithSnapshot(20)
    const kept: (Snapshot | undefined | number)[] = []
    const keeper: Keeper = {
      rebase: async (snapshot) => {
        kept.push(snapshot)
        await Promise.resolve()
      },
      keep: (entries) => kept.push(...entries.map(({ position }) => position)),
    }
    const replica = await openReplica(log, keeper)
    expect(kept[0]).toStrictEqual(snapshotOf(earlier))
    expect(kept.slice(1)).toStrictEqual(
      Array.from({ length: replica.place.position - 20 }, (_, index) => 21 + index),
    )
    await log.append([{ type: 'ServiceResumed', service: 's0' }], options(0))
    await catchUp(log, replica, keeper)
    expect(kept.at(-1)).toBe(replica.place.position)
  })
})
