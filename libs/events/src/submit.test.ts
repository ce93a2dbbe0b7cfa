import { describe, expect, it } from 'vitest'
import type { Command } from '@gatehouse/domain'
import type { Appended, EventLog } from './log.ts'
import { createMemoryLog } from './memory-log.ts'
import { emptyReplica } from './replica.ts'
import { submit, SUBMIT_TRIES, type Submitted } from './submit.ts'
import { deploy, meta as base } from './testing.ts'

let commands = 0
const meta = () => ({ ...base, command: `command-${++commands}` })
const send = (log: EventLog, command: Command, key?: string): Promise<Submitted> =>
  submit(log, emptyReplica(), command, meta(), key)

describe('submit', () => {
  it('appends what the command leads to, and brings the replica forward before it decides', async () => {
    const log = createMemoryLog()
    const replica = emptyReplica()
    const first = await submit(log, replica, deploy('shop', 'v1'), meta())
    expect(first).toMatchObject({ kind: 'accepted', first: 1, last: 3, duplicate: false })
    await send(log, { type: 'Pause', service: 'shop', holdMs: 5 })
    const again = await submit(log, replica, { type: 'Pause', service: 'shop', holdMs: 5 }, meta())
    expect(again).toStrictEqual({ kind: 'nothing-to-do' })
    expect(replica.place.position).toBe(4)
  })

  it('says why a command is refused, and appends nothing', async () => {
    const log = createMemoryLog()
    const refused = await send(log, { type: 'Resume', service: 'shop' })
    expect(refused).toStrictEqual({
      kind: 'rejected',
      rejection: { reason: 'unknown-service', service: 'shop' },
    })
    expect((await log.head()).position).toBe(0)
  })

  it('M5 a repeated job changes nothing and is answered with what it did the first time', async () => {
    const log = createMemoryLog()
    const first = await send(log, deploy('shop', 'v1'), 'ci-job-1')
    await send(log, { type: 'Stop', service: 'shop', message: 'closed' })
    const { position } = await log.head()
    const second = await send(log, deploy('shop', 'v1'), 'ci-job-1')
    expect(second).toStrictEqual({ ...first, duplicate: true })
    expect((await log.head()).position).toBe(position)
  })

  it('M5 of two jobs that expect one version, one wins and the other is told the difference', async () => {
    const log = createMemoryLog()
    await send(log, deploy('shop', 'v1'))
    const both = await Promise.all(
      ['v2', 'v3'].map((id) => send(log, { ...deploy('shop', id), expectVersion: 3 })),
    )
    expect(both.map(({ kind }) => kind).toSorted()).toStrictEqual(['accepted', 'rejected'])
    const refused = both.find(({ kind }) => kind === 'rejected')
    expect(refused).toMatchObject({
      rejection: { reason: 'version-moved', expected: 3, actual: 7 },
    })
  })

  it('A17 two services that ask for one host at once do not both get it', async () => {
    const log = createMemoryLog()
    const both = await Promise.all(
      ['a', 'b'].map((service) => send(log, deploy(service, 'v1', { hosts: ['one.example'] }))),
    )
    expect(both.map(({ kind }) => kind).toSorted()).toStrictEqual(['accepted', 'rejected'])
    expect(both.find(({ kind }) => kind === 'rejected')).toMatchObject({
      rejection: { reason: 'host-taken', host: 'one.example' },
    })
  })

  it('an append that was sent twice has happened once, and is told as a duplicate', async () => {
    const log = createMemoryLog()
    const resending: EventLog = {
      ...log,
      append: async (events, options): Promise<Appended> => {
        await log.append(events, options)
        return log.append(events, options)
      },
    }
    const submitted = await send(resending, deploy('shop', 'v1'))
    expect(submitted).toMatchObject({ kind: 'accepted', duplicate: true, first: 1, last: 3 })
    expect((await log.head()).position).toBe(3)
  })

  it('gives up when others are faster every time', async () => {
    const log = createMemoryLog()
    await send(log, deploy('shop', 'v1'))
    let tries = 0
    const busy: EventLog = {
      ...log,
      append: async () => {
        tries++
        await Promise.resolve()
        return { kind: 'conflict', scope: 'service:shop' }
      },
    }
    const submitted = await send(busy, { type: 'Pause', service: 'shop', holdMs: 5 })
    expect(submitted).toStrictEqual({ kind: 'contended' })
    expect(tries).toBe(SUBMIT_TRIES)
  })
})
