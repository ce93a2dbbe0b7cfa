import { describe, expect, it } from 'vitest'
import { type ServiceEvent } from './event.ts'
import { evolve } from './evolve.ts'
import { emptyGateway, type Gateway } from './gateway.ts'
import { RELEASES_KEPT } from './memory.ts'
import { deploy, drained, given, passed, release } from './testing.ts'

const about = { service: 'web', release: 'blue', revision: 7, generation: 7 } as const

/** One of each type, none of which fits an empty gateway but the first. */
const ONE_OF_EACH = {
  ReleaseDeclared: {
    type: 'ReleaseDeclared',
    service: 'web',
    release: release('blue'),
    generation: 7,
    stage: false,
    takeOver: false,
  },
  SwitchRequested: { type: 'SwitchRequested', ...about },
  ReleasePassed: { type: 'ReleasePassed', ...about, attempts: 1, tookMs: 1, failing: ['x'] },
  ReleaseFailed: { type: 'ReleaseFailed', ...about, failure: { kind: 'superseded', by: 8 } },
  ReleaseSuperseded: { type: 'ReleaseSuperseded', ...about, by: 8 },
  ReleaseActivated: {
    type: 'ReleaseActivated',
    ...about,
    takenOver: [{ service: 'api', hosts: ['app.example'] }],
  },
  DrainStarted: { type: 'DrainStarted', ...about, drainMs: 'infinity' },
  DrainEnded: { type: 'DrainEnded', ...about, outcome: { kind: 'cancelled' } },
  TargetEjected: { type: 'TargetEjected', ...about, target: 'x', reason: 'refused' },
  TargetRestored: { type: 'TargetRestored', ...about, target: 'x' },
  ServicePaused: { type: 'ServicePaused', service: 'web', holdMs: 1 },
  ServiceResumed: { type: 'ServiceResumed', service: 'web' },
  ServiceStopped: { type: 'ServiceStopped', service: 'web', message: 'no' },
  ServiceRemoved: { type: 'ServiceRemoved', service: 'web' },
} satisfies { [Type in ServiceEvent['type']]: Extract<ServiceEvent, { type: Type }> }

const events: readonly ServiceEvent[] = Object.values(ONE_OF_EACH)

/** What nothing in the log may ever lead to. */
const expectSane = (gateway: Gateway): void => {
  for (const service of gateway.services.values()) {
    const revisions = service.releases.map(({ revision }) => revision)
    expect(new Set(revisions).size).toBe(revisions.length)
    const used = [service.active, service.previous, service.candidate?.revision]
    for (const revision of [...used, ...service.drains.map((drain) => drain.revision)]) {
      if (revision !== undefined) expect(revisions).toContain(revision)
    }
    const active = service.releases.filter(({ status }) => status === 'active')
    expect(active.map(({ revision }) => revision)).toEqual(
      service.active === undefined ? [] : [service.active],
    )
    for (const host of service.hosts) expect(gateway.owners.get(host)).toBe(service.name)
  }
}

describe('an event that does not fit', () => {
  it.each(events.slice(1))('L13 leaves an empty gateway empty: $type', (event) => {
    const gateway = evolve(emptyGateway(), event)
    expect(gateway.services.size).toBe(0)
    expect(gateway.owners.size).toBe(0)
  })

  it.each(events.slice(1))(
    'L13 about an unknown revision leaves the releases as they were: $type',
    (event) => {
      const past = [
        deploy('web', release('blue')),
        passed('web', 1),
        deploy('web', release('green')),
      ]
      const before = given(...past).gateway.services.get('web')
      const { gateway } = given(...past, event)
      expectSane(gateway)
      if (event.type === 'ServiceRemoved') return
      const after = gateway.services.get('web')
      expect(after?.active).toBe(1)
      expect(after?.candidate).toEqual(before?.candidate)
      expect(after?.releases).toEqual(before?.releases)
      expect(after?.drains).toEqual([])
      expect(after?.hosts).toEqual(['app.example'])
    },
  )

  it('L13 in any order and any number keeps the state sane', () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const gateway = emptyGateway()
      let state = seed
      const below = (limit: number): number => {
        state = (state * 48_271) % 2_147_483_647
        return state % limit
      }
      for (let n = 0; n < 60; n += 1) {
        const event = events[below(events.length)]
        if (event === undefined) throw new Error('no event')
        evolve(gateway, {
          ...event,
          service: below(2) === 0 ? 'web' : 'api',
          ...('revision' in event ? { revision: 1 + below(4) } : {}),
          ...('generation' in event ? { generation: 1 + below(4) } : {}),
        })
        expectSane(gateway)
      }
    }
  })

  it('A16 cannot give a routed host to a second service', () => {
    const { gateway } = given(
      deploy('web', release('blue')),
      passed('web', 1),
      { ...ONE_OF_EACH.ReleaseDeclared, service: 'api' },
      { ...ONE_OF_EACH.ReleaseActivated, service: 'api', takenOver: [] },
    )
    expect(gateway.owners.get('app.example')).toBe('web')
    expect(gateway.services.get('api')?.hosts).toEqual([])
  })
})

describe('what a service remembers', () => {
  it('L12 is bounded, whatever becomes of its releases', () => {
    const deploys = Array.from({ length: 40 }, (_, index) => {
      const stage = index % 2 === 0
      return [deploy('web', release(`r${index}`), { stage }), passed('web', index + 1)]
    }).flat()
    const { gateway } = given(...deploys)
    const service = gateway.services.get('web')
    const idle = service?.releases.filter(
      ({ status }) => status === 'ready' || status === 'retired',
    )
    expect(idle).toHaveLength(RELEASES_KEPT)
    // Those that still drain are not forgotten, however old they are.
    expect(service?.releases[0]).toMatchObject({ revision: 2, status: 'draining' })
  })

  it('M1 always has the release to roll back to', () => {
    const staged = Array.from({ length: 2 * RELEASES_KEPT }, (_, index) => [
      deploy('web', release(`r${index}`), { stage: true }),
      passed('web', index + 3),
    ]).flat()
    given(
      deploy('web', release('blue')),
      passed('web', 1),
      deploy('web', release('green')),
      passed('web', 2),
      drained('web', 2),
      ...staged,
    )
      .when({ type: 'Rollback', service: 'web' })
      .recordsTypes('SwitchRequested')
  })

  it('M5 counts its events, those of a take-over too', () => {
    const { gateway } = given(
      deploy('web', release('blue')),
      passed('web', 1),
      deploy('api', release('green'), { takeOver: true }),
      passed('api', 2),
    )
    expect(gateway.services.get('web')?.version).toBe(4)
    expect(gateway.services.get('api')?.version).toBe(3)
  })
})
