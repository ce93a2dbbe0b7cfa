import { describe, expect, it } from 'vitest'
import { emptyGateway, type Gateway } from './gateway.ts'
import {
  deploy,
  drained,
  failed,
  follow,
  given,
  passed,
  release,
  routeTo,
  routingOf,
  type Past,
  type Routing,
} from './testing.ts'

const wide = release('wide', { hosts: ['a.test', '*.test', 'default'] })
const narrow = release('narrow', { hosts: ['a.test'] })
const unchecked = { health: { ...wide.health, skip: true } }

const routingAfter = (...past: readonly Past[]): Routing => {
  const routing = routingOf(emptyGateway())
  for (const event of given(...past).events) follow(routing, event)
  return routing
}

const snapshotOf = (gateway: Gateway): Gateway => structuredClone(gateway)

describe('the route table', () => {
  it('A24 is the same at every position, from a snapshot or from the first event', () => {
    const { events } = given(
      deploy('web', wide),
      passed('web', 1),
      deploy('web', narrow),
      passed('web', 2),
      { type: 'Pause', service: 'web', holdMs: 1_000 },
      deploy('api', release('api', { hosts: ['a.test', 'b.test'], ...unchecked }), {
        takeOver: true,
      }),
      { type: 'Rollback', service: 'api', to: 'api' },
      drained('web', 2),
      deploy('docs', wide, { takeOver: true }),
      failed('docs', 4),
      { type: 'Drain', service: 'api' },
      { type: 'Remove', service: 'api' },
      drained('api', 5),
      { type: 'Switch', service: 'web', release: 'wide' },
      passed('web', 6),
    )
    const routing = routingOf(emptyGateway())
    for (const event of events) {
      follow(routing, event)
      const restored = routingOf(snapshotOf(routing.table.gateway))
      expect(routing.table.routes).toEqual(restored.table.routes)
      expect(routing.hosts).toEqual(restored.hosts)
    }
    expect(routeTo(routing, 'x.test')?.active?.release.id).toBe('wide')
  })

  it('C2 of an empty gateway routes nothing', () => {
    expect(routeTo(routingOf(emptyGateway()), 'a.test')).toBeUndefined()
  })

  it('A4 knows nothing of a release that is still checked', () => {
    expect(routingAfter(deploy('web', wide)).table.routes.size).toBe(0)
    const { table } = routingAfter(deploy('web', wide), passed('web', 1), deploy('web', narrow))
    expect(table.routes.get('web')?.active?.revision).toBe(1)
  })

  it('A15 has no entry for a host that a service has given up', () => {
    const past = [deploy('web', wide), passed('web', 1), deploy('web', narrow), passed('web', 2)]
    const { hosts } = routingAfter(...past)
    expect([...hosts.exact.keys()]).toEqual(['a.test'])
    expect(hosts.wildcards.size).toBe(0)
    expect(hosts.fallback).toBeUndefined()
  })

  it('M13 changes the owner of a host between two events and never has none', () => {
    const routing = routingOf(emptyGateway())
    const past = [deploy('web', wide), passed('web', 1), deploy('api', narrow, { takeOver: true })]
    const owners = given(...past, passed('api', 2)).events.map((event) => {
      follow(routing, event)
      return routeTo(routing, 'a.test')?.service
    })
    expect(owners).toEqual([undefined, undefined, 'web', 'web', 'web', 'api'])
    expect(routeTo(routing, 'b.test')?.service).toBe('web')
  })

  it('A19 keeps the hosts of a drained service, without a release to send requests to', () => {
    const routing = routingAfter(deploy('web', narrow), passed('web', 1), {
      type: 'Drain',
      service: 'web',
    })
    const route = routeTo(routing, 'a.test')
    expect(route?.active).toBeUndefined()
    expect(route?.drains).toHaveLength(1)
  })

  it('A19 keeps the drains of a removed service until they have ended', () => {
    const past = [
      deploy('web', narrow),
      passed('web', 1),
      { type: 'Remove', service: 'web' },
    ] as const
    const routing = routingAfter(...past)
    expect(routing.table.routes.get('web')).toMatchObject({ hosts: [], drains: [{ revision: 1 }] })
    expect(routeTo(routing, 'a.test')).toBeUndefined()
    expect(routingAfter(...past, drained('web', 2)).table.routes.size).toBe(0)
  })

  it('A18 names the services whose routes an event may change, and leaves the others alone', () => {
    const past = [
      deploy('web', wide),
      passed('web', 1),
      deploy('docs', release('docs')),
      passed('docs', 2),
    ]
    const routing = routingAfter(...past)
    const { table } = routing
    const docs = table.routes.get('docs')
    const move = deploy('api', { ...narrow, ...unchecked }, { takeOver: true })
    const { events } = given(...past, move)
    expect(events.slice(6).map((event) => follow(routing, event))).toEqual([
      ['api'],
      ['api'],
      ['web', 'api'],
    ])
    expect(table.routes.get('docs')).toBe(docs)
  })
})
