import { describe, expect, it } from 'vitest'
import { parseTarget } from './target.ts'

describe('a target', () => {
  it.each([
    ['http://10.0.0.5:3000', 'http://10.0.0.5:3000', '10.0.0.5', 3000, false, ''],
    [' HTTP://App.Internal ', 'http://app.internal:80', 'app.internal', 80, false, ''],
    ['https://app.internal', 'https://app.internal:443', 'app.internal', 443, true, ''],
    [
      'https://app.internal:8443/base/',
      'https://app.internal:8443/base',
      'app.internal',
      8443,
      true,
      '/base',
    ],
    ['http://[::1]:3000/', 'http://[::1]:3000', '::1', 3000, false, ''],
  ])('A2 %j is reached by TCP, with its port said', (text, url, hostname, port, tls, basePath) => {
    const address = { kind: 'tcp', tls, hostname, port, basePath }
    expect(parseTarget(text)).toEqual({ url, address })
  })

  it('A2 has a normal form that reads as itself', () => {
    for (const text of [
      'HTTP://A.test/x/',
      'https://b.test',
      'unix:///run/app.sock',
      'unix:./x.sock',
    ]) {
      const once = parseTarget(text)
      if ('problem' in once) throw new Error(once.problem)
      expect(parseTarget(once.url)).toEqual(once)
    }
  })

  it.each([
    ['unix:/run/app.sock', '/run/app.sock'],
    ['unix:///run/app.sock', '/run/app.sock'],
    ['unix:./x.sock', './x.sock'],
  ])('D20 %j is a socket', (text, socketPath) => {
    const address = { kind: 'unix', socketPath, basePath: '' }
    expect(parseTarget(text)).toEqual({ address, url: `unix:${socketPath}` })
  })

  it.each([
    ['', '"" is not a URL; expected http://host:port or unix:/path'],
    ['app:3000', '"app:3000" is not a URL; expected http://host:port or unix:/path'],
    ['10.0.0.5', '"10.0.0.5" is not a URL; expected http://host:port or unix:/path'],
    ['http://a b', '"http://a b" is not a URL; expected http://host:port or unix:/path'],
    ['http://a:99999', '"http://a:99999" is not a URL; expected http://host:port or unix:/path'],
    ['http://a:0', '"http://a:0" has the port 0; expected 1 to 65535'],
    ['ftp://a.test', '"ftp://a.test" has the scheme ftp; expected http, https or unix'],
    [
      'http://a.test/?x=1',
      '"http://a.test/?x=1" has a query or fragment; expected only a path prefix',
    ],
    ['http://a.test/#x', '"http://a.test/#x" has a query or fragment; expected only a path prefix'],
    ['unix:', '"unix:" has no path; expected unix:/run/app.sock'],
    [`unix:/${'ü'.repeat(60)}`, 'the socket path has 121 bytes; at most 107 fit'],
    ['unix:/a\0b', 'the socket path has a zero byte'],
  ])('A2 refuses %j with one clause', (text, problem) => {
    expect(parseTarget(text)).toEqual({ problem })
  })

  it('A2 refuses credentials without repeating them', () => {
    const parsed = parseTarget('http://root:secret@a.test')
    expect(parsed).toEqual({
      problem: 'carries a user name or password; targets are reached without credentials',
    })
  })
})
