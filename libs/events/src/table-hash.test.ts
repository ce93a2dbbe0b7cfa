import { emptyTable, project, type GatewayEvent, type RouteTable } from '@gatehouse/domain'
import { describe, expect, it } from 'vitest'
import { createTableHash } from './table-hash.ts'
import { deploy, historyOf, variedHistory } from './testing.ts'

const tableAfter = (events: readonly GatewayEvent[]): RouteTable => {
  const table = emptyTable()
  for (const event of events) project(table, event)
  return table
}

const hashAfter = (events: readonly GatewayEvent[]): string =>
  createTableHash(tableAfter(events)).value()

describe('the hash of a table', () => {
  it('L4 is the same kept up event by event as made at the end', () => {
    const table = emptyTable()
    const hash = createTableHash(table)
    const events = variedHistory()
    for (const [index, event] of events.entries()) {
      for (const service of project(table, event)) hash.touch(service)
      if (index % 7 === 0) hash.value()
    }
    expect(hash.value()).toBe(hashAfter(events))
    expect(hash.value()).toMatch(/^[\da-f]{16}$/)
  })

  it('is zero for no routes, and again when they are gone', () => {
    const zero = '0'.repeat(16)
    expect(createTableHash(emptyTable()).value()).toBe(zero)
    const table = tableAfter(historyOf([deploy('shop', 'v1')]))
    const hash = createTableHash(table)
    expect(hash.value()).not.toBe(zero)
    table.routes.delete('shop')
    hash.touch('shop')
    expect(hash.value()).toBe(zero)
  })

  it('does not depend on the order of services, or of fields', () => {
    const [one, other] = [historyOf([deploy('a', 'v1')]), historyOf([deploy('b', 'v1')])]
    expect(hashAfter([...one, ...other])).toBe(hashAfter([...other, ...one]))
    const turned = one.map((event) =>
      event.type === 'ReleaseDeclared'
        ? { ...event, release: withFieldsTurned(event.release) }
        : event,
    )
    expect(JSON.stringify(turned)).not.toBe(JSON.stringify(one))
    expect(hashAfter(turned)).toBe(hashAfter(one))
  })

  it.each([
    ['a host', deploy('shop', 'v1', { hosts: ['other.example'] })],
    ['a target', deploy('shop', 'v1', { targets: [{ url: 'http://10.0.0.1:80' }] })],
    [
      'a limit',
      deploy('shop', 'v1', { limits: { ...deploy('shop', 'v1').release.limits, queueMax: 1 } }),
    ],
    [
      'a health check',
      deploy('shop', 'v1', { health: { ...deploy('shop', 'v1').release.health, rise: 9 } }),
    ],
    ['the time to drain', deploy('shop', 'v1', { drainMs: 'infinity' })],
    ['the host header', deploy('shop', 'v1', { hostHeader: 'target' })],
    ['a time', deploy('shop', 'v1', { timeouts: [{ path: '/slow', responseMs: 1 }] })],
    ['its way to speak TLS', deploy('shop', 'v1', { tls: { verify: false } })],
    ['a label', deploy('shop', 'v1', { metadata: { commit: 'abc' } })],
    ['the name of the release', deploy('shop', 'v2')],
  ])('differs when %s does', (_what, other) => {
    expect(hashAfter(historyOf([other]))).not.toBe(hashAfter(historyOf([deploy('shop', 'v1')])))
  })

  it.each<GatewayEvent>([
    { type: 'ServicePaused', service: 'shop', holdMs: 5 },
    { type: 'ServicePaused', service: 'shop', holdMs: 6 },
    { type: 'ServiceStopped', service: 'shop', message: 'closed' },
    {
      type: 'TargetEjected',
      service: 'shop',
      release: 'v1',
      revision: 1,
      target: 'http://v1.internal:3000',
      reason: '',
    },
    {
      type: 'DrainStarted',
      service: 'shop',
      release: 'v1',
      revision: 1,
      generation: 2,
      drainMs: 5,
    },
  ])('differs after $type', (event) => {
    const before = historyOf([deploy('shop', 'v1')])
    const different = new Set([hashAfter(before), hashAfter([...before, event])])
    expect(different.size).toBe(2)
  })
})

const withFieldsTurned = <Value>(value: Value): Value =>
  (typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .map(([name, each]) => [name, withFieldsTurned(each)])
          .toReversed(),
      )
    : value) as Value
