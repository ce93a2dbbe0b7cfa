import { randomUUID } from 'node:crypto'
import {
  catchUp,
  createMemoryLog,
  emptyReplica,
  type EventLog,
  type Replica,
} from '@gatehouse/events'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { createSnapshotKeeper, type SnapshotKeeper } from './snapshots.ts'

const append = async (log: EventLog, count: number): Promise<void> => {
  const paused = { type: 'ServicePaused', service: 'web', holdMs: 1 } as const
  await log.append([paused, ...Array.from({ length: count - 1 }, () => paused)], {
    readPosition: (await log.head()).position,
    scopes: [],
    idempotencyKey: randomUUID(),
    meta: { command: randomUUID(), actor: 'test', tool: 'test/0' },
  })
}

const keeperOf = (log: EventLog, replica: Replica, trusted = true): SnapshotKeeper =>
  createSnapshotKeeper({
    log,
    replica,
    covered: 0,
    isTrusted: () => trusted,
    logger: pino({ level: 'silent' }),
    every: 10,
    historyKept: 25,
  })

const savedPosition = async (log: EventLog): Promise<number | undefined> =>
  (await log.snapshot())?.position

describe('snapshots', () => {
  it('are saved when enough has happened since the last one, and not before', async () => {
    const log = createMemoryLog()
    const replica = emptyReplica()
    const keeper = keeperOf(log, replica)
    await append(log, 9)
    await catchUp(log, replica)
    keeper.look()
    await append(log, 1)
    await catchUp(log, replica)
    keeper.look()
    await expect.poll(() => savedPosition(log)).toBe(10)
  })

  it('L12 trim the history to what is kept, and never beyond the snapshot', async () => {
    const log = createMemoryLog()
    const replica = emptyReplica()
    await append(log, 40)
    await catchUp(log, replica)
    keeperOf(log, replica).look()
    await expect.poll(() => savedPosition(log)).toBe(40)
    await expect.poll(() => firstPosition(log)).toBe(15)
  })

  it('are not saved while the history in Redis is in doubt', async () => {
    const log = createMemoryLog()
    const replica = emptyReplica()
    await append(log, 40)
    await catchUp(log, replica)
    keeperOf(log, replica, false).look()
    expect(await savedPosition(log)).toBeUndefined()
  })
})

/** The first entry that is left; the gap before it is found by asking from the beginning. */
const firstPosition = async (log: EventLog): Promise<number> => {
  try {
    for await (const page of log.read({ position: 0, hash: '' })) return page[0]?.position ?? 0
    return 0
  } catch (error) {
    return Number(/position (\d+)/.exec(String(error))?.[1])
  }
}
