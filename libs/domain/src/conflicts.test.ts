/** Deploys that meet others: hosts that are taken, services that are there, versions that have moved. */
import { describe, expect, it } from 'vitest'
import { sentenceOf } from './rejection.ts'
import { deploy, failed, given, passed, release } from './testing.ts'

const blue = release('blue')
const green = release('green')
const unchecked = { health: { ...blue.health, skip: true } }
const blueLive = [deploy('web', blue), passed('web', 1)] as const

describe('a host of another service', () => {
  it('A16 is refused, by name of its owner', () => {
    const { decision, isRejected } = given(...blueLive).when(deploy('api', green))
    isRejected('host-taken', { host: 'app.example', owner: 'web' })
    if (!('rejected' in decision)) throw new Error('not refused')
    expect(sentenceOf(decision.rejected)).toBe(
      'host app.example belongs to service web; --take-over moves it',
    )
  })

  it('A16 is taken already while its candidate is checked, and free when that fails', () => {
    given(deploy('web', blue)).when(deploy('api', green)).isRejected('host-taken')
    given(deploy('web', blue), failed('web', 1))
      .when(deploy('api', green))
      .recordsTypes('ReleaseDeclared')
  })

  it('M13 moves with --take-over in the very event that activates the new owner', () => {
    const wide = release('wide', { hosts: ['a.test', 'b.test'] })
    const past = [
      deploy('web', wide),
      passed('web', 1),
      deploy('api', release('green', { hosts: ['b.test', 'c.test'] }), { takeOver: true }),
    ]
    given(...past)
      .when(passed('api', 2))
      .recordsTypes('ReleasePassed', 'ReleaseActivated')
    const { gateway, events } = given(...past, passed('api', 2))
    expect(events.at(-1)).toMatchObject({ takenOver: [{ service: 'web', hosts: ['b.test'] }] })
    expect(gateway.services.get('web')?.hosts).toEqual(['a.test'])
    expect(Object.fromEntries(gateway.owners)).toEqual({
      'a.test': 'web',
      'b.test': 'api',
      'c.test': 'api',
    })
  })

  it('M13 stays where it was until the new owner is healthy', () => {
    const { gateway } = given(
      ...blueLive,
      deploy('api', green, { takeOver: true }),
      failed('api', 2),
    )
    expect(gateway.owners.get('app.example')).toBe('web')
  })

  it('M13 is not taken back by a candidate that had asked for it before', () => {
    const past = given(
      deploy('web', blue),
      deploy('api', release('green', unchecked), { takeOver: true }),
      { type: 'Pause', service: 'web', holdMs: 1_000 },
    )
    expect(past.gateway.owners.get('app.example')).toBe('api')
    past.when(passed('web', 1)).recordsTypes('ReleasePassed', 'ReleaseFailed')
    const after = given(...past.events, passed('web', 1)).gateway.services.get('web')
    expect(after?.hosts).toEqual([])
    expect(after?.failure?.failure).toEqual({
      kind: 'host-taken',
      host: 'app.example',
      owner: 'api',
    })
  })
})

describe('a claim that came too late', () => {
  it('A16 is not made again by an event that says nothing of hosts, since no scope would tell', () => {
    const { gateway } = given(
      deploy('web', blue),
      deploy('api', release('green', unchecked), { takeOver: true }),
      { type: 'Remove', service: 'api' },
      { type: 'Pause', service: 'web', holdMs: 1_000 },
    )
    expect(gateway.services.get('web')?.candidate?.revision).toBe(1)
    expect(gateway.owners.has('app.example')).toBe(false)
  })
})

describe('static configuration', () => {
  it('A23 seeds a fleet that does not know the service, and leaves one alone that does', () => {
    given()
      .when(deploy('web', blue, { ifAbsent: true }))
      .recordsTypes('ReleaseDeclared')
    given(...blueLive)
      .when(deploy('web', green, { ifAbsent: true }))
      .recordsNothing()
  })
})

describe('an expected version', () => {
  it('M5 that is not the service’s any more refuses the command and says both', () => {
    const past = given(...blueLive)
    expect(past.gateway.services.get('web')?.version).toBe(3)
    past
      .when(deploy('web', green, { expectVersion: 2 }))
      .isRejected('version-moved', { service: 'web', expected: 2, actual: 3 })
    past.when(deploy('web', green, { expectVersion: 3 })).recordsTypes('ReleaseDeclared')
  })

  it('M5 of 0 means that there must be no such service', () => {
    given()
      .when(deploy('web', blue, { expectVersion: 0 }))
      .recordsTypes('ReleaseDeclared')
    given(...blueLive)
      .when(deploy('web', green, { expectVersion: 0 }))
      .isRejected('version-moved')
  })

  it('M5 is asked of every request', () => {
    const about = { service: 'web', expectVersion: 9 } as const
    for (const command of [
      { type: 'Switch', release: 'blue', ...about },
      { type: 'Rollback', ...about },
      { type: 'Drain', ...about },
      { type: 'Pause', holdMs: 1, ...about },
      { type: 'Resume', ...about },
      { type: 'Stop', message: '', ...about },
      { type: 'Remove', ...about },
    ] as const) {
      given(...blueLive)
        .when(command)
        .isRejected('version-moved')
    }
  })
})
