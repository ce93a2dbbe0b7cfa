import { describe, expect, it } from 'vitest'
import {
  BEGINNING,
  catchUp,
  emptyReplica,
  openReplica,
  submit,
  writeSnapshot,
  type Replica,
} from '@gatehouse/events'
import { chainHash } from '../../../libs/events/src/entries.ts'
import { appendAll, deploy, meta, options, readAll } from '../../../libs/events/src/testing.ts'
import { watch } from './followed.ts'
import { openLog, type TestLog } from './own-redis.ts'

let commands = 0
const submitDeploy = (open: TestLog, service: string, replica: Replica = emptyReplica()) =>
  submit(open.log, replica, deploy(service, 'v1'), { ...meta, command: `c-${++commands}` })

const replayed = async (open: TestLog): Promise<Replica> => {
  const replica = emptyReplica()
  await catchUp(open.log, replica)
  return replica
}

describe('what somebody wrote into the stream by hand', () => {
  it.each([
    ['the next id', (position: number) => [`${position + 1}-0`]],
    ['a later part of the last id', (position: number) => [`${position}-7`, `${position}-8`]],
    ['an id far ahead', (position: number) => [`${position + 1_000}-3`]],
    ['ids of the clock, in one millisecond', () => ['1700000000000-0', '1700000000000-1']],
  ])('A25 L13 is put aside, counted, and passed over: %s', async (_what, idsAfter) => {
    await using open = openLog()
    await submitDeploy(open, 'one')
    await using watched = watch(open.log, BEGINNING)
    await watched.until('caught-up')
    const { position } = await open.log.head()
    const ids = idsAfter(position)
    for (const id of ids) await open.link.client.xadd(open.eventsKey, id, 'x', 'garbage')

    const replica = await openReplica(open.log)
    expect(replica.quarantine.total).toBe(ids.length)
    expect(replica.quarantine.newest.at(-1)).toMatchObject({ why: 'was not written by an append' })

    const next = await submitDeploy(open, 'two', replica)
    expect(next.kind).toBe('accepted')
    await catchUp(open.log, replica)
    expect([...replica.table.routes.keys()]).toStrictEqual(['one', 'two'])

    const { position: head } = await open.log.head()
    await watched.untilPosition(head)
    expect(watched.positions()).toHaveLength(position + ids.length + 3)
    const again = await replayed(open)
    expect(again.quarantine).toStrictEqual(replica.quarantine)
    expect(again.tableHash.value()).toBe(replica.tableHash.value())
    expect(again.place).toStrictEqual(replica.place)
  })

  it('A25 may come before everything, with `*`, and many times in a row', async () => {
    await using open = openLog()
    for (let count = 0; count < 130; count++) {
      await open.link.client.xadd(open.eventsKey, '*', 'e', '{"type":')
    }
    await submitDeploy(open, 'one')
    for (let count = 0; count < 130; count++) {
      await open.link.client.xadd(open.eventsKey, '*', 'e', 'x', 'more', 'y')
    }
    await submitDeploy(open, 'two')
    const replica = await openReplica(open.log)
    expect(replica.quarantine.total).toBe(260)
    expect([...replica.table.routes.keys()]).toStrictEqual(['one', 'two'])
    const head = await open.log.head()
    expect({ position: head.position, hash: head.hash }).toStrictEqual(replica.place)
    expect(await open.log.standing(replica.place)).toBeUndefined()
  })

  it('A25 does not count as the head of the chain', async () => {
    await using open = openLog()
    await submitDeploy(open, 'one')
    const before = await open.log.head()
    await open.link.client.xadd(open.eventsKey, '*', 'x', 'y')
    const head = await open.log.head()
    expect(head.hash).toBe(before.hash)
    expect(head.position).toBeGreaterThan(before.position)
    await using watched = watch(open.log, head)
    await submitDeploy(open, 'two')
    await watched.untilPosition(head.position + 3)
    expect(watched.all.map(({ kind }) => kind)).not.toContain('diverged')
  })

  it('is in the range that somebody looks at', async () => {
    await using open = openLog()
    await submitDeploy(open, 'one')
    await open.link.client.xadd(open.eventsKey, '3-5', 'x', 'y')
    const range = await open.log.range(1, 3)
    expect(range.map(({ kind }) => kind)).toStrictEqual(['event', 'event', 'event', 'quarantined'])
  })

  it('stays what the chain goes on from when everything that may go is trimmed', async () => {
    await using open = openLog()
    await submitDeploy(open, 'one')
    await open.link.client.xadd(open.eventsKey, '*', 'x', 'y')
    const replica = await openReplica(open.log)
    const { origin, place, quarantine, table } = replica
    await open.log.saveSnapshot(
      writeSnapshot(place, { origin, gateway: table.gateway, quarantine }),
    )
    await open.log.trim(replica.place.position + 1)
    await submitDeploy(open, 'two', replica)
    const opened = await openReplica(open.log)
    expect([...opened.table.routes.keys()]).toStrictEqual(['one', 'two'])
    expect(opened.quarantine.total).toBe(1)
  })
})

describe('an entry that this version does not understand', () => {
  const entries = [
    ['of an unknown type', { type: 'RolloutMoved', v: 1, data: { service: 'one' } }],
    ['of a newer version', { type: 'ServicePaused', v: 2, data: { service: 'one', forMs: 5 } }],
    ['with a wrong field', { type: 'ServicePaused', v: 1, data: { service: 'one', holdMs: 'x' } }],
  ] as const

  it.each(entries)('L13 %s is put aside, and all else goes on', async (_what, wire) => {
    await using open = openLog()
    await submitDeploy(open, 'one')
    const { position, hash } = await open.log.head()
    const body = JSON.stringify({ ...wire, meta })
    const at = '1700000000000.000'
    const value = `${at} ${chainHash(hash, at, body)} ${body}`
    await open.link.client.xadd(open.eventsKey, `${position + 1}-0`, 'e', value)

    const replica = await openReplica(open.log)
    expect(replica.quarantine).toMatchObject({
      total: 1,
      newest: [{ type: wire.type, position: 4 }],
    })
    expect(await submitDeploy(open, 'two', replica)).toMatchObject({ kind: 'accepted', first: 5 })
    await catchUp(open.log, replica)
    expect([...replica.table.routes.keys()]).toStrictEqual(['one', 'two'])
  })
})

describe('an entry that was changed after it was written', () => {
  it('is another history for everybody who reads on from it', async () => {
    await using open = openLog()
    await appendAll(open.log, [{ type: 'ServiceResumed', service: 'a' }])
    const { hash } = await open.log.head()
    const value = `1700000000000.000 ${'0'.repeat(40)} {}`
    await open.link.client.xadd(open.eventsKey, '2-0', 'e', value)
    await open.log.append([{ type: 'ServiceResumed', service: 'b' }], options(0))
    await expect(readAll(open.log, { position: 1, hash })).rejects.toThrow(
      'the entry at position 2 does not continue the history before it',
    )
    await using watched = watch(open.log, { position: 1, hash })
    await watched.until('diverged')
    expect(watched.positions()).toStrictEqual([])
  })
})
