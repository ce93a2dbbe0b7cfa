/** Drain, pause, resume, stop and remove; and what workers report of drains and targets. */
import { describe, expect, it } from 'vitest'
import { type Command } from './command.ts'
import { deploy, drained, failed, given, passed, release } from './testing.ts'

const blue = release('blue')
const green = release('green')
const blueLive = [deploy('web', blue), passed('web', 1)] as const
const greenLive = [...blueLive, deploy('web', green), passed('web', 2)] as const
const drain: Command = { type: 'Drain', service: 'web' }
const remove: Command = { type: 'Remove', service: 'web' }

describe('a drain', () => {
  it('A19 takes the active release out of service and keeps its hosts', () => {
    const past = given(...blueLive)
    past.when(drain).records({
      type: 'DrainStarted',
      service: 'web',
      release: 'blue',
      revision: 1,
      generation: 2,
      drainMs: 30_000,
    })
    const { gateway } = given(...past.events, drain)
    const service = gateway.services.get('web')
    expect(service?.active).toBeUndefined()
    expect(service).toMatchObject({ hosts: ['app.example'], previous: 1 })
  })

  it('A11 takes infinity for a deadline, and another one later', () => {
    const endless = given(...blueLive, { ...drain, drainMs: 'infinity' })
    expect(endless.gateway.services.get('web')?.drains).toEqual([
      { revision: 1, generation: 2, drainMs: 'infinity' },
    ])
    const sooner = given(...endless.events, { ...drain, release: 'blue', drainMs: 500 })
    expect(sooner.gateway.services.get('web')?.drains).toEqual([
      { revision: 1, generation: 3, drainMs: 500 },
    ])
    sooner.when(drained('web', 2)).recordsNothing()
    sooner.when({ ...drain, release: 'blue' }).recordsNothing()
  })

  it('A10 ends with the report, for its own generation only and once', () => {
    const past = given(...greenLive)
    past.when(drained('web', 1)).recordsNothing()
    past.when(drained('web', 2)).records({
      type: 'DrainEnded',
      service: 'web',
      release: 'blue',
      revision: 1,
      generation: 2,
      outcome: { kind: 'drained', unreachable: [] },
    })
    const after = given(...past.events, drained('web', 2))
    expect(after.gateway.services.get('web')?.releases[0]).toMatchObject({
      status: 'retired',
      drained: { kind: 'drained' },
    })
    after.when(drained('web', 2)).recordsNothing()
  })

  it('A9 that was cut says how much', () => {
    const outcome = { kind: 'timed-out', cut: 3, unreachable: ['proxy-2'] } as const
    const { gateway } = given(...greenLive, {
      type: 'ReportDrain',
      service: 'web',
      generation: 2,
      outcome,
    })
    expect(gateway.services.get('web')?.releases[0]?.drained).toEqual(outcome)
  })

  it('A19 finds the release that serves among several with its id', () => {
    const other = { ...blue, drainMs: 1_000 }
    const { decision } = given(...blueLive, deploy('web', other), failed('web', 2)).when({
      ...drain,
      release: 'blue',
    })
    expect(decision).toMatchObject({ accepted: [{ type: 'DrainStarted', revision: 1 }] })
  })

  it('A19 is refused when there is nothing to drain', () => {
    given(deploy('web', blue)).when(drain).isRejected('nothing-to-drain', { service: 'web' })
    const about = { service: 'web', release: 'blue' }
    given(...greenLive, drained('web', 2))
      .when({ ...drain, release: 'blue' })
      .isRejected('nothing-to-drain', about)
    given(...blueLive)
      .when({ ...drain, release: 'pink' })
      .isRejected('unknown-release')
  })
})

describe('pause, resume and stop', () => {
  const pause: Command = { type: 'Pause', service: 'web', holdMs: 20_000 }
  const resume: Command = { type: 'Resume', service: 'web' }
  const stop: Command = { type: 'Stop', service: 'web', message: 'back at noon' }

  it('A19 each record one event', () => {
    given(...blueLive)
      .when(pause)
      .records({ type: 'ServicePaused', service: 'web', holdMs: 20_000 })
    given(...blueLive)
      .when(stop)
      .records({ type: 'ServiceStopped', service: 'web', message: 'back at noon' })
    given(...blueLive, pause)
      .when(resume)
      .records({ type: 'ServiceResumed', service: 'web' })
    given(...blueLive, stop)
      .when(resume)
      .records({ type: 'ServiceResumed', service: 'web' })
  })

  it('A19 repeated, they have nothing to do', () => {
    given(...blueLive)
      .when(resume)
      .recordsNothing()
    given(...blueLive, pause)
      .when(pause)
      .recordsNothing()
    given(...blueLive, pause)
      .when({ ...pause, holdMs: 1 })
      .recordsTypes('ServicePaused')
    given(...blueLive, stop)
      .when(stop)
      .recordsNothing()
    given(...blueLive, stop)
      .when({ ...stop, message: 'soon' })
      .recordsTypes('ServiceStopped')
  })

  it('A19 last through a deploy', () => {
    const { gateway } = given(...blueLive, pause, deploy('web', green), passed('web', 2))
    expect(gateway.services.get('web')?.traffic).toEqual({ mode: 'paused', holdMs: 20_000 })
  })
})

describe('a removal', () => {
  it('A19 gives up a candidate, drains what serves and frees the hosts', () => {
    const past = given(...blueLive, deploy('web', green))
    past.when(remove).recordsTypes('ReleaseSuperseded', 'DrainStarted', 'ServiceRemoved')
    const { gateway } = given(...past.events, remove)
    expect(gateway.owners.size).toBe(0)
    expect(gateway.services.get('web')).toMatchObject({ removed: true, hosts: [] })
  })

  it('A19 is complete when the last drain has ended', () => {
    const { gateway } = given(...blueLive, remove, drained('web', 2))
    expect(gateway.services.size).toBe(0)
    given(deploy('web', blue), failed('web', 1)).when(remove).recordsTypes('ServiceRemoved')
  })

  it('A19 makes the service unknown to every other command', () => {
    const about = { service: 'web' } as const
    for (const command of [
      { type: 'Switch', release: 'blue', ...about },
      { type: 'Rollback', ...about },
      { type: 'Drain', ...about },
      { type: 'Pause', holdMs: 1, ...about },
      { type: 'Resume', ...about },
      { type: 'Stop', message: '', ...about },
      { type: 'Remove', ...about },
    ] as const) {
      given().when(command).isRejected('unknown-service', { service: 'web' })
      given(...blueLive, remove)
        .when(command)
        .isRejected('unknown-service')
    }
  })

  it('A19 is undone by a deploy, of the very release that still drains too', () => {
    const past = given(...blueLive, remove)
    past.when(deploy('web', blue)).recordsTypes('SwitchRequested')
    const checked = given(...past.events, deploy('web', blue))
    expect(checked.gateway.services.get('web')?.removed).toBe(false)
    const { gateway } = given(...checked.events, passed('web', 3))
    expect(gateway.services.get('web')).toMatchObject({ active: 1, removed: false, drains: [] })
    past.when(deploy('web', green)).recordsTypes('ReleaseDeclared')
  })
})

describe('a report about a target', () => {
  const one = 'http://one:1'
  const two = release('two', { targets: [{ url: one }, { url: 'http://two:1' }] })
  const live = [deploy('web', two), passed('web', 1)] as const
  const about = { type: 'ReportTarget', service: 'web', revision: 1, target: one } as const
  const down: Command = { ...about, health: { kind: 'down', reason: 'refused' } }
  const up: Command = { ...about, health: { kind: 'up' } }

  it('B9 ejects one that fell and restores one that rose', () => {
    const named = { service: 'web', release: 'two', revision: 1, target: one }
    given(...live)
      .when(down)
      .records({ type: 'TargetEjected', ...named, reason: 'refused' })
    given(...live, down)
      .when(up)
      .records({ type: 'TargetRestored', ...named })
  })

  it('B9 that is known already, or about nobody, changes nothing', () => {
    given(...live)
      .when(up)
      .recordsNothing()
    given(...live, down)
      .when(down)
      .recordsNothing()
    given(...live)
      .when({ ...down, target: 'http://three:1' })
      .recordsNothing()
    given(...live)
      .when({ ...down, revision: 7 })
      .recordsNothing()
    given().when(down).recordsNothing()
  })

  it('A18 changes nothing once the release serves no more', () => {
    given(...live, deploy('web', green), passed('web', 2))
      .when(down)
      .recordsNothing()
  })
})
