import { describe, expect, it } from 'vitest'
import {
  BEGINNING,
  catchUp,
  emptyReplica,
  openReplica,
  submit,
  writeSnapshot,
  type EventLog,
  type Replica,
  type Submitted,
} from '@gatehouse/events'
import {
  appendAll,
  deploy,
  meta,
  options,
  readAll,
  variedHistory,
} from '../../../libs/events/src/testing.ts'
import { openLog } from './own-redis.ts'

const save = (log: EventLog, { origin, place, table, quarantine }: Replica): Promise<boolean> =>
  log.saveSnapshot(writeSnapshot(place, { origin, gateway: table.gateway, quarantine }))

describe('a replica of the log on Redis', () => {
  it('A24 L4 from a trimmed stream and a snapshot has the very table of a full replay', async () => {
    await using open = openLog()
    const events = variedHistory(12)
    await appendAll(open.log, events.slice(0, 60))
    const followed = await openReplica(open.log)
    await save(open.log, followed)
    await appendAll(open.log, events.slice(60))
    await catchUp(open.log, followed)
    const replayed = emptyReplica()
    await catchUp(open.log, replayed)

    expect(await open.log.trim(events.length)).toBe(60)
    const opened = await openReplica(open.log)
    expect(opened.place).toStrictEqual(replayed.place)
    expect(opened.tableHash.value()).toBe(replayed.tableHash.value())
    expect(followed.tableHash.value()).toBe(replayed.tableHash.value())
    expect(opened.table.gateway).toStrictEqual(replayed.table.gateway)
    await expect(catchUp(open.log, emptyReplica())).rejects.toThrow('begins at position 61')
  })

  it('reads a history of many pages in order', async () => {
    await using open = openLog()
    const batch = Array.from({ length: 500 }, (_, index) => ({
      type: 'ServiceResumed' as const,
      service: `s${index}`,
    }))
    const [first, ...others] = batch
    if (first === undefined) throw new Error('no events')
    for (let page = 0; page < 5; page++) await open.log.append([first, ...others], options(0))
    const all = await readAll(open.log, BEGINNING)
    expect(all.map(({ position }) => position)).toStrictEqual(
      Array.from({ length: 2_500 }, (_, index) => index + 1),
    )
  })
})

describe('commands that race on Redis', () => {
  const send = (log: EventLog, id: string, key?: string): Promise<Submitted> =>
    submit(
      log,
      emptyReplica(),
      { ...deploy('shop', id), expectVersion: 0 },
      { ...meta, command: `race-${id}`, reason: `release ${id}` },
      key,
    )

  it('A17 of fifty first deploys of one service one wins, and the log tells it to all', async () => {
    await using open = openLog()
    const racing = Array.from({ length: 50 }, (_, index) => send(open.log, `v${index}`))
    const ends = await Promise.all(racing)
    expect(ends.filter(({ kind }) => kind === 'accepted')).toHaveLength(1)
    for (const end of ends) {
      if (end.kind === 'accepted') continue
      expect(end).toMatchObject({ kind: 'rejected', rejection: { reason: 'version-moved' } })
    }
    const history = await readAll(open.log, BEGINNING)
    expect(history).toHaveLength(3)
    expect(new Set(history.map((each) => each.kind === 'event' && each.meta.command)).size).toBe(1)
  })

  it('M5 one job that runs ten times at once deploys once', async () => {
    await using open = openLog()
    const racing = Array.from({ length: 10 }, () => send(open.log, 'v1', 'job-7'))
    const ends = await Promise.all(racing)
    const accepted = ends.flatMap((end) => (end.kind === 'accepted' ? [end] : []))
    expect(accepted).toHaveLength(10)
    expect(accepted.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    expect(new Set(accepted.map(({ first, last }) => `${first}-${last}`))).toStrictEqual(
      new Set(['1-3']),
    )
    expect((await open.log.head()).position).toBe(3)
  })

  it('I12 the history says who did what, when and why', async () => {
    await using open = openLog()
    const before = Date.now()
    await send(open.log, 'v1')
    for (const entry of await readAll(open.log, BEGINNING)) {
      expect(entry).toMatchObject({
        meta: { actor: 'ada', reason: 'release v1', tool: 'gatehouse/0' },
      })
      expect(Math.abs(entry.at - before)).toBeLessThan(10_000)
    }
  })
})
