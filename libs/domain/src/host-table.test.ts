import { describe, expect, it } from 'vitest'
import { createHostTable, matchHost, setHost, unsetHost, type HostTable } from './host-table.ts'

const tableOfHosts = (...patterns: readonly string[]): HostTable<string> => {
  const table = createHostTable<string>()
  for (const pattern of patterns) setHost(table, pattern, pattern)
  return table
}

describe('a host table', () => {
  it('C4 prefers the exact name, then the longest wildcard suffix', () => {
    const table = tableOfHosts('*.test', '*.b.test', 'a.b.test', 'default')
    expect(matchHost(table, 'a.b.test')).toBe('a.b.test')
    expect(matchHost(table, 'x.b.test')).toBe('*.b.test')
    expect(matchHost(table, 'x.y.b.test')).toBe('*.b.test')
    expect(matchHost(table, 'b.test')).toBe('*.test')
    expect(matchHost(table, 'x.a.b.test')).toBe('*.b.test')
  })

  it('C4 does not match a bare domain by its wildcard', () => {
    expect(matchHost(tableOfHosts('*.b.test'), 'b.test')).toBeUndefined()
    expect(matchHost(tableOfHosts('*.test'), 'test')).toBeUndefined()
  })

  it('C2 has no answer for an unknown host without a default', () => {
    expect(matchHost(tableOfHosts('a.test', '*.b.test'), 'c.test')).toBeUndefined()
    expect(matchHost(tableOfHosts('a.test'), undefined)).toBeUndefined()
  })

  it('C3 sends what nothing else matches to the default, and a request without a host too', () => {
    const table = tableOfHosts('a.test', 'default')
    expect(matchHost(table, 'c.test')).toBe('default')
    expect(matchHost(table, undefined)).toBe('default')
    expect(matchHost(table, 'default')).toBe('default')
  })

  it('C1 finds an IPv6 address as it finds a name', () => {
    expect(matchHost(tableOfHosts('[::1]', '*.4]'), '[::1]')).toBe('[::1]')
  })

  it.each(['a.test', '*.a.test', 'default'])(
    'M13 leaves %s to whoever holds it by now',
    (pattern) => {
      const table = createHostTable<string>()
      setHost(table, pattern, 'loser')
      setHost(table, pattern, 'winner')
      unsetHost(table, pattern, 'loser')
      const host = pattern.replace('*', 'x')
      expect(matchHost(table, host)).toBe('winner')
      unsetHost(table, pattern, 'winner')
      expect(matchHost(table, host)).toBeUndefined()
    },
  )
})
