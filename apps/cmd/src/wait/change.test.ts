import type { GatewayEvent } from '@gatehouse/domain'
import type { Recorded } from '@gatehouse/events'
import { describe, expect, it } from 'vitest'
import { advance, attemptOf, startChange, type Change } from './change.ts'

type RecordedEvent = Extract<Recorded, { kind: 'event' }>

const about = { service: 'shop', release: 'green', revision: 5, generation: 5 }

/** Plays events from position 1 on; those up to `own` belong to the command itself. */
const play = (events: readonly GatewayEvent[], own: number, attempt = attemptOf(events)): Change =>
  events.reduce(
    (change, event, index) => {
      const recorded: RecordedEvent = {
        kind: 'event',
        position: index + 1,
        at: 1_000 + index,
        atText: '',
        hash: '',
        body: '',
        event,
        meta: { actor: index < own ? 'me' : 'bob', command: '', tool: '' },
      }
      return advance(change, recorded, index < own)
    },
    startChange('shop', attempt),
  )

const requested: GatewayEvent = { type: 'SwitchRequested', ...about }
const passed: GatewayEvent = {
  type: 'ReleasePassed',
  ...about,
  attempts: 1,
  tookMs: 5,
  failing: [],
}
const activated: GatewayEvent = { type: 'ReleaseActivated', ...about, takenOver: [] }
const drain: GatewayEvent = {
  type: 'DrainStarted',
  ...about,
  release: 'blue',
  revision: 2,
  drainMs: 500,
}
const drained = (generation: number): GatewayEvent => ({
  type: 'DrainEnded',
  ...about,
  release: 'blue',
  revision: 2,
  generation,
  outcome: { kind: 'drained', unreachable: [] },
})

describe('a change', () => {
  it('A20 is active where its activation stands, and drains what was before', () => {
    const change = play([requested, passed, activated, drain], 1)
    expect(change.verdict).toEqual({ kind: 'active', position: 3, at: 1_002 })
    expect(change.drains).toMatchObject([
      { release: 'blue', revision: 2, drainMs: 500, startedAt: 1_003 },
    ])
    expect(play([requested, passed, activated, drain, drained(5)], 1).drains).toMatchObject([
      { ended: { at: 1_004, outcome: { kind: 'drained' } } },
    ])
  })

  it('A4 has failed with the reason that the worker gave', () => {
    const failure = {
      kind: 'unhealthy',
      target: 'http://a:1',
      reason: 'refused',
      attempts: 3,
      tookMs: 9,
    } as const
    const change = play([requested, { type: 'ReleaseFailed', ...about, failure }], 1)
    expect(change.verdict).toEqual({ kind: 'failed', release: 'green', failure })
  })

  it('A17 is superseded by name when somebody is quicker', () => {
    const change = play(
      [
        requested,
        { type: 'ReleaseSuperseded', ...about, by: 6 },
        { type: 'SwitchRequested', service: 'shop', release: 'red', revision: 3, generation: 6 },
      ],
      1,
    )
    expect(change.verdict).toMatchObject({
      kind: 'superseded',
      winner: { release: 'red', actor: 'bob', command: 'switch' },
    })
  })

  it('A18 is not decided by events of another attempt or another service', () => {
    const other: GatewayEvent = { ...activated, generation: 4 }
    const elsewhere: GatewayEvent = { ...activated, service: 'blog' }
    expect(play([requested, other, elsewhere], 1).verdict.kind).toBe('pending')
  })

  it('is staged once it passed, when no more was asked for', () => {
    const attempt = { service: 'shop', release: 'green', generation: 5, stage: true }
    expect(play([requested, passed], 1, attempt).verdict).toMatchObject({
      kind: 'staged',
      position: 2,
    })
  })

  it('A7 waits for the newer deadline when the same release is drained again', () => {
    const again: GatewayEvent = { ...drain, generation: 9, drainMs: 50 }
    const change = play([requested, activated, drain, again, drained(9)], 1)
    expect(change.drains).toMatchObject([{ generation: 9, drainMs: 50, ended: { at: 1_004 } }])
  })

  it('is applied at its last own event when nobody has to confirm it', () => {
    const removed: GatewayEvent = { type: 'ServiceRemoved', service: 'shop' }
    const change = play([drain, removed, { type: 'ServiceResumed', service: 'shop' }], 2)
    expect(change.verdict).toMatchObject({ kind: 'applied', position: 2 })
    expect(change.drains).toHaveLength(1)
  })
})
