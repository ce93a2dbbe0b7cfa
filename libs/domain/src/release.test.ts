import { describe, expect, it } from 'vitest'
import {
  HEALTH_DEFAULTS,
  HOSTS_MAX,
  problemOfRelease,
  sameRelease,
  TARGETS_MAX,
} from './release.ts'
import { release } from './testing.ts'

const target = { url: 'http://a.internal:1' }
const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `h${index}.test`)

describe('a release', () => {
  it('A2 has the defaults that a spec leaves out', () => {
    const { health, drainMs } = release('blue')
    expect(health.path).toBe('/up')
    expect(health.timeoutMs).toBe(5_000)
    expect(drainMs).toBe(30_000)
  })

  it('A2 may enter the log as it is here, up to every bound', () => {
    expect(problemOfRelease(release('blue'))).toBeUndefined()
    const largest = release('b'.repeat(63), {
      hosts: many(HOSTS_MAX),
      targets: Array.from({ length: TARGETS_MAX }, () => target),
    })
    expect(problemOfRelease(largest)).toBeUndefined()
  })

  it.each([
    [release('-blue'), 'target_id', '"-blue" is not a name'],
    [release(''), 'target_id', '"" is not a name'],
    [release('b'.repeat(64)), 'target_id', 'at most 63'],
    [release('blue', { hosts: [] }), 'hosts', 'is empty; expected at least one host name'],
    [release('blue', { hosts: many(101) }), 'hosts', 'has 101 names; at most 100 fit'],
    [release('blue', { hosts: ['a.test', 'b/c'] }), 'hosts[1]', 'looks like a URL'],
    [release('blue', { hosts: ['A.test'] }), 'hosts[0]', '"A.test" is not in normal form'],
    [release('blue', { targets: [] }), 'targets', 'is empty; expected at least one target'],
    [
      release('blue', { targets: many(101).map(() => target) }),
      'targets',
      'has 101; at most 100 fit',
    ],
    [release('blue', { targets: [target, { url: 'x' }] }), 'targets[1]', '"x" is not a URL'],
    [
      release('blue', { health: { ...HEALTH_DEFAULTS, path: 'up' } }),
      'health_path',
      '"up" does not start with /',
    ],
    [
      release('blue', { metadata: Object.fromEntries(many(33).map((key) => [key, ''])) }),
      'metadata',
      'has 33 entries; at most 32 fit',
    ],
    [
      release('blue', { metadata: { commit: 'x'.repeat(1_024) } }),
      'metadata.commit',
      'is longer than 1024 characters',
    ],
  ])('A2 is refused with its field and a clause: %#', (what, field, problem) => {
    const found = problemOfRelease(what)
    expect(found?.field).toBe(field)
    expect(found?.problem).toContain(problem)
  })

  it('A14 is the same whatever the order its fields were written in', () => {
    const blue = release('blue', { metadata: { version: '1', commit: 'c' } })
    const { id, ...rest } = release('blue', { metadata: { commit: 'c', version: '1' } })
    expect(sameRelease(blue, { ...rest, id })).toBe(true)
    expect(sameRelease(blue, release('blue', { metadata: { version: '2', commit: 'c' } }))).toBe(
      false,
    )
    expect(sameRelease(blue, { ...blue, hosts: ['b.example'] })).toBe(false)
  })
})
