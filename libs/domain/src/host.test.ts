import { describe, expect, it } from 'vitest'
import { hostOfAuthority, parseHostPattern, patternCovers } from './host.ts'

const patternOf = (text: string): string => {
  const parsed = parseHostPattern(text)
  return 'pattern' in parsed ? parsed.pattern : `refused: ${parsed.problem}`
}

describe('a host in a spec', () => {
  it('A3 is brought to lower case, without spaces around it and without a trailing dot', () => {
    expect(patternOf(' Example.COM ')).toBe('example.com')
    expect(patternOf('example.com.')).toBe('example.com')
    expect(patternOf('*.Example.com.')).toBe('*.example.com')
    expect(patternOf('DEFAULT')).toBe('default')
  })

  it('A3 is brought to ASCII as browsers do it, wildcards too', () => {
    expect(patternOf('bücher.example')).toBe('xn--bcher-kva.example')
    expect(patternOf('*.Bücher.example')).toBe('*.xn--bcher-kva.example')
    expect(patternOf('xn--bcher-kva.example')).toBe('xn--bcher-kva.example')
  })

  it('C1 may be a plain label, a name with underscores, an IPv4 or a bracketed IPv6 address', () => {
    for (const host of ['localhost', 'my_app.local', '10.0.0.1', '[::1]', '[2001:db8::1]']) {
      expect(patternOf(host)).toBe(host)
    }
  })

  it.each([
    ['', 'is empty; expected a host name such as app.example.com'],
    ['  ', 'is empty; expected a host name such as app.example.com'],
    ['https://example.com', '"https://example.com" looks like a URL; expected only its host name'],
    ['example.com/app', '"example.com/app" looks like a URL; expected only its host name'],
    ['example.com:8080', '"example.com:8080" has a port; hosts are matched without it'],
    ['[::1]:8080', '"[::1]:8080" has a port; hosts are matched without it'],
    ['::1', '"::1" is an IPv6 address without brackets; expected [::1]'],
    ['2001:db8::1', '"2001:db8::1" is an IPv6 address without brackets; expected [2001:db8::1]'],
    ['*', '"*" has a * that is not the whole first label; expected *.example.com'],
    ['a.*.com', '"a.*.com" has a * that is not the whole first label; expected *.example.com'],
    ['*app.com', '"*app.com" has a * that is not the whole first label; expected *.example.com'],
    ['-a.example', '"-a.example" is not a valid host name'],
    ['a..example', '"a..example" is not a valid host name'],
    ['a b.example', '"a b.example" is not a valid host name'],
    [`${'x'.repeat(64)}.example`, `"${'x'.repeat(64)}.example" is not a valid host name`],
    [
      `${'abcdefg.'.repeat(32)}example`,
      `"${'abcdefg.'.repeat(32)}example" is not a valid host name`,
    ],
    ['*.[::1]', '"*.[::1]" is not a valid host name'],
  ])('A3 refuses %j with one clause', (text, problem) => {
    expect(parseHostPattern(text)).toEqual({ problem })
  })

  it('A3 refuses what a URL parser would read as something besides a host', () => {
    const sly = [
      'user@a.test',
      'a.test?x',
      'a.test#x',
      'a.test\\x',
      '%61.test',
      'a\n.test',
      'a\t.test',
    ]
    for (const text of sly) expect(patternOf(text)).toContain('is not a valid host name')
  })
})

describe('the host of a request', () => {
  it('C1 ignores case, port and a trailing dot', () => {
    for (const authority of [
      'example.com',
      'EXAMPLE.com:8443',
      'example.com.',
      'Example.Com.:80',
      'example.com:',
    ]) {
      expect(hostOfAuthority(authority)).toBe('example.com')
    }
  })

  it('C1 keeps an IPv6 address whole, with a port or without', () => {
    expect(hostOfAuthority('[2001:DB8::1]')).toBe('[2001:db8::1]')
    expect(hostOfAuthority('[2001:db8::1]:8443')).toBe('[2001:db8::1]')
  })

  it.each([
    '',
    ':80',
    '.',
    'a..b',
    'a b',
    'a/b',
    'user@a.test',
    'a.test:80:80',
    'a.test:http',
    'a.test:123456',
    '[::1',
    '::1',
    '[::1]x',
    'bücher.example',
    'a.test,b.test',
    '<script>',
    'a'.repeat(64),
    'ab.'.repeat(90),
  ])('C1 is nothing for %j', (authority) => {
    expect(hostOfAuthority(authority)).toBeUndefined()
  })

  it('C1 may have 253 characters and no more', () => {
    const longest = `${'abcdefg.'.repeat(31)}abcde`
    expect(longest).toHaveLength(253)
    expect(hostOfAuthority(longest)).toBe(longest)
    expect(hostOfAuthority(`${longest}.`)).toBe(longest)
    expect(hostOfAuthority(`${longest}f`)).toBeUndefined()
  })
})

describe('a pattern', () => {
  it('C4 with a wildcard covers every depth below its domain, and not the domain itself', () => {
    expect(patternCovers('*.example.com', 'a.example.com')).toBe(true)
    expect(patternCovers('*.example.com', 'b.a.example.com')).toBe(true)
    expect(patternCovers('*.example.com', 'example.com')).toBe(false)
    expect(patternCovers('*.example.com', 'badexample.com')).toBe(false)
  })

  it('C3 named default covers everything; an exact one only itself', () => {
    expect(patternCovers('default', 'whatever.test')).toBe(true)
    expect(patternCovers('a.test', 'a.test')).toBe(true)
    expect(patternCovers('a.test', 'b.a.test')).toBe(false)
  })
})
