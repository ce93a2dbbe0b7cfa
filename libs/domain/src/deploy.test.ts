/** Deploy: from the declaration to the activation, and everything that may come between. */
import { describe, expect, it } from 'vitest'
import { deploy, drained, failed, given, passed, release } from './testing.ts'

const blue = release('blue')
const green = release('green')
const unchecked = { health: { ...blue.health, skip: true } }
const blueLive = [deploy('web', blue), passed('web', 1)] as const

describe('a deploy', () => {
  it('A1 declares its release under the next generation', () => {
    given().when(deploy('web', blue)).records({
      type: 'ReleaseDeclared',
      service: 'web',
      release: blue,
      generation: 1,
      stage: false,
      takeOver: false,
    })
  })

  it('A3 routes its hosts once the release has passed', () => {
    const { gateway } = given(...blueLive)
    expect(gateway.services.get('web')).toMatchObject({ active: 1, hosts: ['app.example'] })
    expect(gateway.owners.get('app.example')).toBe('web')
  })

  it('A6 makes the release active, and drains the one before, in one append', () => {
    const about = { service: 'web', generation: 2 }
    given(...blueLive, deploy('web', green))
      .when(passed('web', 2))
      .records(
        {
          type: 'ReleasePassed',
          ...about,
          release: 'green',
          revision: 2,
          attempts: 1,
          tookMs: 12,
          failing: [],
        },
        { type: 'ReleaseActivated', ...about, release: 'green', revision: 2, takenOver: [] },
        { type: 'DrainStarted', ...about, release: 'blue', revision: 1, drainMs: 30_000 },
      )
  })

  it('A12 that skips the check is active at once', () => {
    given(...blueLive)
      .when(deploy('web', release('green', unchecked)))
      .recordsTypes('ReleaseDeclared', 'ReleasePassed', 'ReleaseActivated', 'DrainStarted')
  })

  it('A4 that fails its check leaves the active release as it was', () => {
    const before = given(...blueLive, deploy('web', green))
    before.when(failed('web', 2)).recordsTypes('ReleaseFailed')
    const service = given(...blueLive, deploy('web', green), failed('web', 2)).gateway.services.get(
      'web',
    )
    expect(service).toMatchObject({ active: 1, hosts: ['app.example'], drains: [] })
    expect(service?.candidate).toBeUndefined()
  })

  it('A5 that failed is told with its reason, until the next one passes', () => {
    const past = [
      ...blueLive,
      deploy('web', green),
      failed('web', 2, { status: 503, excerpt: 'no' }),
    ]
    expect(given(...past).gateway.services.get('web')?.failure).toMatchObject({
      release: 'green',
      failure: { kind: 'unhealthy', status: 503, excerpt: 'no', attempts: 5 },
    })
    const cured = given(...past, deploy('web', release('red')), passed('web', 3))
    expect(cured.gateway.services.get('web')?.failure).toBeUndefined()
  })

  it('A5 that was the first one and failed leaves a service that can be deployed again', () => {
    given(deploy('web', blue), failed('web', 1))
      .when(deploy('web', green))
      .recordsTypes('ReleaseDeclared')
  })

  it('A7 while others still drain leaves each its own deadline', () => {
    const past = [
      deploy('web', release('a', { drainMs: 1_000 })),
      passed('web', 1),
      deploy('web', release('b', { drainMs: 2_000 })),
      passed('web', 2),
      deploy('web', release('c')),
      passed('web', 3),
    ]
    const service = given(...past).gateway.services.get('web')
    expect(service?.active).toBe(3)
    expect(service?.drains).toEqual([
      { revision: 1, generation: 2, drainMs: 1_000 },
      { revision: 2, generation: 3, drainMs: 2_000 },
    ])
  })

  it('A17 takes the place of one that is still checked', () => {
    given(...blueLive, deploy('web', green))
      .when(deploy('web', release('red')))
      .recordsTypes('ReleaseSuperseded', 'ReleaseDeclared')
  })

  it('A18 is not undone by a late result of the one it superseded', () => {
    const past = given(...blueLive, deploy('web', green), deploy('web', release('red')))
    past.when(passed('web', 2)).recordsNothing()
    past.when(failed('web', 2)).recordsNothing()
    past.when(passed('web', 3)).recordsTypes('ReleasePassed', 'ReleaseActivated', 'DrainStarted')
  })

  it('A18 is answered once: a repeated result changes nothing', () => {
    given(...blueLive)
      .when(passed('web', 1))
      .recordsNothing()
    given(...blueLive)
      .when(failed('web', 1))
      .recordsNothing()
    given().when(passed('nobody', 1)).recordsNothing()
  })

  it('A15 that leaves a host out gives it up', () => {
    const { gateway } = given(
      deploy('web', release('blue', { hosts: ['a.test', 'b.test'] })),
      passed('web', 1),
      deploy('web', release('green', { hosts: ['a.test'] })),
      passed('web', 2),
    )
    expect([...gateway.owners]).toEqual([['a.test', 'web']])
  })

  it('B7 of which one target is enough starts with those ejected that failed', () => {
    const two = release('two', { targets: [{ url: 'http://a:1' }, { url: 'http://b:1' }] })
    const { gateway } = given(deploy('web', two), passed('web', 1, ['http://b:1']))
    expect(gateway.services.get('web')?.releases[0]?.ejected).toEqual(['http://b:1'])
  })

  it('A2 is refused when its service or release cannot be', () => {
    given().when(deploy('my service', blue)).isRejected('invalid')
    given()
      .when(deploy('web', release('blue', { hosts: [] })))
      .isRejected('invalid', {
        field: 'hosts',
        problem: 'is empty; expected at least one host name',
      })
  })
})

describe('a deploy of what is known', () => {
  it('A14 is a switch to it', () => {
    given(...blueLive, deploy('web', green), passed('web', 2))
      .when(deploy('web', blue))
      .recordsTypes('SwitchRequested')
  })

  it('M5 and serves already changes nothing', () => {
    given(...blueLive)
      .when(deploy('web', blue))
      .recordsNothing()
  })

  it('A14 under the same id with another definition is another release', () => {
    given(...blueLive)
      .when(deploy('web', { ...blue, drainMs: 5_000 }))
      .recordsTypes('ReleaseDeclared')
  })

  it('A14 goes A-B-A-B, ends the drain of what comes back and keeps the other', () => {
    const past = [...blueLive, deploy('web', green), passed('web', 2), deploy('web', blue)]
    given(...past)
      .when(passed('web', 3))
      .recordsTypes('ReleasePassed', 'DrainEnded', 'ReleaseActivated', 'DrainStarted')
    const service = given(...past, passed('web', 3), deploy('web', green), passed('web', 4))
    expect(service.gateway.services.get('web')).toMatchObject({
      active: 2,
      drains: [{ revision: 1, generation: 4 }],
    })
    // The drain of the first switch was called off: its end comes too late.
    service.when(drained('web', 2)).recordsNothing()
    service.when(drained('web', 4)).recordsTypes('DrainEnded')
  })

  it('A16 gets back the hosts that another service has taken and given up since', () => {
    const past = given(...blueLive, deploy('api', green, { takeOver: true }), passed('api', 2), {
      type: 'Remove',
      service: 'api',
    })
    past.when(deploy('web', blue)).recordsTypes('SwitchRequested')
    const back = given(...past.events, deploy('web', blue), passed('web', 4))
    expect(back.gateway.services.get('web')).toMatchObject({ active: 1, hosts: ['app.example'] })
  })
})

describe('staging', () => {
  it('A1 stops before the release is active, which a switch then does', () => {
    const staged = given(...blueLive, deploy('web', green, { stage: true }))
    staged.when(passed('web', 2)).recordsTypes('ReleasePassed')
    const ready = given(...staged.events, passed('web', 2))
    expect(ready.gateway.services.get('web')).toMatchObject({ active: 1, candidate: undefined })
    expect(ready.gateway.services.get('web')?.releases[1]?.status).toBe('ready')
    ready.when({ type: 'Switch', service: 'web', release: 'green' }).recordsTypes('SwitchRequested')
  })

  it('A12 without a check is ready at once', () => {
    given()
      .when(deploy('web', release('blue', unchecked), { stage: true }))
      .recordsTypes('ReleaseDeclared', 'ReleasePassed')
  })
})
