/** Switch and rollback: a known release becomes active again. */
import { describe, expect, it } from 'vitest'
import { type Command } from './command.ts'
import { RELEASES_KEPT } from './memory.ts'
import { sentenceOf } from './rejection.ts'
import { deploy, drained, failed, given, passed, release } from './testing.ts'

const blue = release('blue')
const green = release('green')
const blueLive = [deploy('web', blue), passed('web', 1)] as const
const greenLive = [...blueLive, deploy('web', green), passed('web', 2)] as const
const switchTo = (id: string): Command => ({ type: 'Switch', service: 'web', release: id })
const rollback: Command = { type: 'Rollback', service: 'web' }
const drain: Command = { type: 'Drain', service: 'web' }

describe('a switch', () => {
  it('A13 has a known release checked again, and then makes it active', () => {
    const past = given(...greenLive)
    past.when(switchTo('blue')).records({
      type: 'SwitchRequested',
      service: 'web',
      release: 'blue',
      revision: 1,
      generation: 3,
    })
    const after = given(...past.events, switchTo('blue'), passed('web', 3))
    expect(after.gateway.services.get('web')).toMatchObject({ active: 1, previous: 2 })
  })

  it('M1 to a release that no longer answers changes nothing but the failure told', () => {
    const { gateway } = given(...greenLive, switchTo('blue'), failed('web', 3))
    expect(gateway.services.get('web')).toMatchObject({ active: 2, failure: { release: 'blue' } })
  })

  it('A12 without a check is done at once', () => {
    const unchecked = release('blue', { health: { ...blue.health, skip: true } })
    given(deploy('web', unchecked), deploy('web', green), passed('web', 2))
      .when(switchTo('blue'))
      .recordsTypes(
        'SwitchRequested',
        'ReleasePassed',
        'DrainEnded',
        'ReleaseActivated',
        'DrainStarted',
      )
  })

  it('A13 to what serves, or is on its way, has nothing to do', () => {
    given(...blueLive)
      .when(switchTo('blue'))
      .recordsNothing()
    given(...greenLive, switchTo('blue'))
      .when(switchTo('blue'))
      .recordsNothing()
  })

  it('A13 to what serves gives up a newer candidate', () => {
    const past = given(...blueLive, deploy('web', green))
    past.when(switchTo('blue')).recordsTypes('ReleaseSuperseded')
    const after = given(...past.events, switchTo('blue'))
    after.when(passed('web', 2)).recordsNothing()
    // The number that it was superseded by is spent, too.
    after.when(deploy('web', release('red'))).records({
      type: 'ReleaseDeclared',
      service: 'web',
      release: release('red'),
      generation: 4,
      stage: false,
      takeOver: false,
    })
  })

  it('A13 to an unknown release is refused with those that are known', () => {
    const { decision, isRejected } = given(...greenLive).when(switchTo('grene'))
    isRejected('unknown-release', { service: 'web', release: 'grene', known: ['blue', 'green'] })
    if (!('rejected' in decision)) throw new Error('not refused')
    expect(sentenceOf(decision.rejected)).toBe(
      'service web has no release "grene"; it knows blue, green',
    )
  })

  it('A16 is refused when a host of that release belongs to another service by now', () => {
    given(
      deploy('web', release('wide', { hosts: ['a.test', 'b.test'] })),
      passed('web', 1),
      deploy('web', release('narrow', { hosts: ['a.test'] })),
      passed('web', 2),
      deploy('api', release('green', { hosts: ['b.test'] })),
    )
      .when(switchTo('wide'))
      .isRejected('host-taken', { host: 'b.test', owner: 'api' })
  })

  it('A13 finds its release even when a superseded candidate is one too many to remember', () => {
    const staged = Array.from({ length: RELEASES_KEPT }, (_, index) => [
      deploy('web', release(`r${index}`), { stage: true }),
      passed('web', index + 1),
    ]).flat()
    const { gateway } = given(...staged, deploy('web', release('newest')), switchTo('r0'))
    const service = gateway.services.get('web')
    expect(service?.candidate?.revision).toBe(1)
    expect(service?.releases[0]?.release.id).toBe('r0')
  })
})

describe('a rollback', () => {
  it('M1 goes to the release that was active before, and back again', () => {
    given(...greenLive)
      .when(rollback)
      .records({
        type: 'SwitchRequested',
        service: 'web',
        release: 'blue',
        revision: 1,
        generation: 3,
      })
    const after = given(...greenLive, rollback, passed('web', 3), drained('web', 3))
    after.when(rollback).recordsTypes('SwitchRequested')
    expect(after.gateway.services.get('web')).toMatchObject({ active: 1, previous: 2 })
  })

  it('M1 goes to the one named with --to', () => {
    const past = given(...greenLive, deploy('web', release('red')), passed('web', 3))
    const { decision } = past.when({ ...rollback, to: 'blue' })
    expect(decision).toMatchObject({ accepted: [{ type: 'SwitchRequested', revision: 1 }] })
    past.when({ ...rollback, to: 'pink' }).isRejected('unknown-release')
  })

  it('M1 is refused when nothing was active before', () => {
    given(...blueLive)
      .when(rollback)
      .isRejected('no-previous-release', { service: 'web' })
    given(deploy('web', blue), failed('web', 1)).when(rollback).isRejected('no-previous-release')
  })

  it('M1 is refused when the release before is the one that serves again', () => {
    given(...blueLive, drain, switchTo('blue'), passed('web', 3))
      .when(rollback)
      .isRejected('no-previous-release')
  })

  it('M1 brings back what was drained by hand', () => {
    given(...blueLive, drain)
      .when(rollback)
      .recordsTypes('SwitchRequested')
  })
})
