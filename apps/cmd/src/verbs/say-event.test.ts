import type { GatewayEvent } from '@gatehouse/domain'
import type { Recorded } from '@gatehouse/events'
import { describe, expect, it } from 'vitest'
import { eventLine, sayEvent, sayFailure, sayOutcome } from './say-event.ts'

const at = Date.UTC(2026, 4, 1, 9, 30, 15, 123)
const place = { position: 12, at, atText: '', hash: '', body: '' }
const about = { service: 'shop', release: 'blue', revision: 1, generation: 2 }

const recorded = (event: GatewayEvent, reason?: string): Recorded => ({
  ...place,
  kind: 'event',
  event,
  meta: { command: '', actor: 'alice', tool: '', ...(reason === undefined ? {} : { reason }) },
})

describe('an event in words', () => {
  it.each<[GatewayEvent, string]>([
    [{ type: 'ReleaseActivated', ...about, takenOver: [] }, 'ReleaseActivated shop blue'],
    [
      { type: 'ReleaseActivated', ...about, takenOver: [{ service: 'blog', hosts: ['a.test'] }] },
      'ReleaseActivated shop blue (took a.test over from blog)',
    ],
    [
      { type: 'DrainStarted', ...about, drainMs: 'infinity' },
      'DrainStarted shop blue (until idle)',
    ],
    [
      { type: 'ServicePaused', service: 'shop', holdMs: 30_000 },
      'ServicePaused shop (requests wait up to 30 s)',
    ],
    [{ type: 'ServiceRemoved', service: 'shop' }, 'ServiceRemoved shop'],
  ])('M2 M12 says what it is about: %j', (event, words) => {
    expect(eventLine(recorded(event))).toBe(`#12 2026-05-01 09:30:15.123Z ${words} by alice`)
  })

  it('I12 ends with the reason, in which no control character survives', () => {
    const line = eventLine(
      recorded({ type: 'ServiceResumed', service: 'shop' }, 'all\u001b[2Jgood\n'),
    )
    expect(line).toBe('#12 2026-05-01 09:30:15.123Z ServiceResumed shop by alice: all [2Jgood ')
  })

  it('L13 A25 shows what could not be understood, and why', () => {
    const garbage: Recorded = {
      ...place,
      at: Number.NaN,
      kind: 'quarantined',
      type: 'Odd',
      why: 'is newer',
    }
    expect(sayEvent(garbage)).toMatchObject({
      event: 'Odd',
      time: 'unknown',
      details: 'quarantined: is newer',
    })
  })

  it('says failures and the ends of drains in one sentence', () => {
    const failure = {
      kind: 'unhealthy',
      target: '',
      reason: 'GET /up was refused',
      attempts: 1,
      tookMs: 40,
    } as const
    expect(sayFailure(failure)).toBe('GET /up was refused (1 attempt in 40 ms)')
    expect(sayFailure({ kind: 'host-taken', host: 'a.test', owner: 'blog' })).toBe(
      'host a.test belongs to service blog',
    )
    expect(sayOutcome({ kind: 'drained', unreachable: [] })).toBe('drained')
    expect(sayOutcome({ kind: 'timed-out', cut: 3, unreachable: ['p'] })).toBe(
      'timed out, 3 cut, without word from p',
    )
  })
})
