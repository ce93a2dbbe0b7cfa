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
    ['H2C://App.Internal/base/', 'h2c://app.internal:80/base', 'app.internal', 80, false, '/base'],
    ['h2c://10.1:50051', 'h2c://10.0.0.1:50051', '10.0.0.1', 50_051, false, ''],
    ['h2://[::1]', 'h2://[::1]:443', '::1', 443, true, ''],
  ])('N15 %j is spoken to in HTTP/2', (text, url, hostname, port, tls, basePath) => {
    const address = { kind: 'tcp', http2: true, tls, hostname, port, basePath }
    expect(parseTarget(text)).toEqual({ url, address })
    expect(parseTarget(url)).toEqual({ url, address })
  })

  it('N15 unix+h2c is HTTP/2 over a socket', () => {
    expect(parseTarget('unix+h2c:///run/app.sock')).toEqual({
      address: { kind: 'unix', http2: true, socketPath: '/run/app.sock', basePath: '' },
      url: 'unix+h2c:/run/app.sock',
    })
  })

  it.each([
    ['', '"" is not a URL; expected http://host:port or unix:/path'],
    ['app:3000', '"app:3000" is not a URL; expected http://host:port or unix:/path'],
    ['10.0.0.5', '"10.0.0.5" is not a URL; expected http://host:port or unix:/path'],
    ['http://a b', '"http://a b" is not a URL; expected http://host:port or unix:/path'],
    ['http://a:99999', '"http://a:99999" is not a URL; expected http://host:port or unix:/path'],
    ['http://a:0', '"http://a:0" has the port 0; expected 1 to 65535'],
    ['ftp://a.test', '"ftp://a.test" has the scheme ftp; expected http, https, h2c, h2 or unix'],
    [
      'grpc://a:1',
      '"grpc://a:1" has the scheme grpc; gRPC is spoken over h2c:// or, with TLS, h2://',
    ],
    ['grpcs://a', '"grpcs://a" has the scheme grpcs; gRPC with TLS is spoken over h2://'],
    ['unix+h2c:', '"unix+h2c:" has no path; expected unix+h2c:/run/app.sock'],
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
