import { describe, expect, it } from 'vitest'
import { headEnd, refusalOfEndlessHead } from './head-end.ts'
import { FIELDS_MAX, HEAD_BYTES_MAX, TARGET_BYTES_MAX } from './limits.ts'
import { parseRequestHead } from './request-head.ts'
import { createRequestHead } from './request.ts'
import { headOf, refusalOf, requestOf } from './testing/read-head.ts'

describe('the request line', () => {
  it('RFC 9112 §3 is method, target and version, kept as they were sent', () => {
    const head = requestOf('GET /a//b/../c;d?x=%2F&y={|} HTTP/1.1', 'Host: a.example')
    expect(head).toMatchObject({
      method: 'GET',
      target: '/a//b/../c;d?x=%2F&y={|}',
      minorVersion: 1,
      contentLength: -1,
      chunked: false,
      keepAlive: true,
    })
  })

  it.each([
    ['HTTP/0.9', 'GET /\r\n\r\n', 400],
    ['HTTP/2.0 preface', 'PRI * HTTP/2.0\r\n\r\n', 505],
    ['HTTP/1.2', headOf('GET / HTTP/1.2', 'Host: a'), 505],
    ['lower-case version', headOf('GET / http/1.1', 'Host: a'), 400],
    ['space after the version', headOf('GET / HTTP/1.1 ', 'Host: a'), 400],
    ['two spaces', headOf('GET  / HTTP/1.1', 'Host: a'), 400],
    ['tab for a space', headOf('GET\t/ HTTP/1.1', 'Host: a'), 400],
    ['no target', headOf('GET HTTP/1.1', 'Host: a'), 400],
    ['space before the method', headOf(' GET / HTTP/1.1', 'Host: a'), 400],
    ['two empty lines before it', `\r\n\r\n${headOf('GET / HTTP/1.1', 'Host: a')}`, 400],
  ])('RFC 9112 §3 refuses %s', (_, text, status) => {
    expect(refusalOf(text)).toBe(status)
  })

  it('RFC 9112 §2.2 tolerates one empty line before it', () => {
    expect(refusalOf(`\r\n${headOf('GET / HTTP/1.1', 'Host: a')}`)).toBe(0)
  })

  it.each([
    ['CONNECT', 'a:443', 405],
    ['CONNECT', '/', 405],
    ['TRACE', '/', 405],
    ['BREW', '/', 501],
    ['get', '/', 501],
    ['PROPFIND', '/', 0],
    ['QUERY', '/', 0],
  ])('RFC 9110 §9 meets the method %s %s with %i', (method, target, status) => {
    expect(refusalOf(headOf(`${method} ${target} HTTP/1.1`, 'Host: a'))).toBe(status)
  })

  it.each([
    ['a fragment', '/a#b'],
    ['a control character', '/a\x01b'],
    ['DEL', '/a\x7fb'],
    ['a byte beyond ASCII', '/caf\u00e9'],
    ['%00 in the path', '/a%00b'],
    ['a relative path', 'a/b'],
    ['another scheme', 'ftp://a/b'],
    ['no authority', 'http:///b'],
    ['a user name', 'http://user@a/b'],
    ['an asterisk', '*'],
  ])('RFC 9112 §3.2 refuses %s in the target', (_, target) => {
    expect(refusalOf(headOf(`GET ${target} HTTP/1.1`, 'Host: a'))).toBe(400)
  })

  it('leaves %00 in a query alone, where it is mere data', () => {
    expect(requestOf('GET /a?h=%00 HTTP/1.1', 'Host: a').target).toBe('/a?h=%00')
  })

  it.each([
    ['GET http://b.example/x?y HTTP/1.1', '/x?y'],
    ['GET http://b.example HTTP/1.1', '/'],
    ['GET HTTPS://b.example?y HTTP/1.1', '/?y'],
    ['OPTIONS http://b.example HTTP/1.1', '*'],
    ['OPTIONS http://b.example/ HTTP/1.1', '/'],
  ])('RFC 9112 §3.2.2 brings %s to %s', (requestLine, target) => {
    const head = requestOf(requestLine, 'Host: B.example:80')
    expect(head).toMatchObject({ target, host: 'b.example', authority: 'b.example' })
  })

  it('RFC 9112 §3.2.4 takes the asterisk for OPTIONS', () => {
    expect(requestOf('OPTIONS * HTTP/1.1', 'Host: a').target).toBe('*')
  })
})

describe('the host', () => {
  it.each([
    ['EXAMPLE.com:8443', 'example.com'],
    ['example.com.', 'example.com'],
    ['[::1]:80', '[::1]'],
    ['  padded.example \t', 'padded.example'],
  ])('C1 %s means %s', (field, host) => {
    expect(requestOf('GET / HTTP/1.1', `Host: ${field}`).host).toBe(host)
  })

  it('C3 HTTP/1.0 may leave it out', () => {
    expect(requestOf('GET / HTTP/1.0')).toMatchObject({ host: undefined, authority: '' })
  })

  it('C1 is read anew when a reused head meets another host, and no host', () => {
    const head = createRequestHead()
    const read = (text: string): string | undefined => {
      parseRequestHead(text, headEnd(text), head)
      return head.host
    }
    expect(read(headOf('GET / HTTP/1.1', 'Host: a.example'))).toBe('a.example')
    expect(read(headOf('GET / HTTP/1.1', 'Host: a.example'))).toBe('a.example')
    expect(read(headOf('GET / HTTP/1.0'))).toBeUndefined()
    expect(read(headOf('GET / HTTP/1.1', 'Host: b.example'))).toBe('b.example')
  })
})

describe('the connection', () => {
  it.each([
    ['HTTP/1.1', [], true],
    ['HTTP/1.1', ['Connection: close'], false],
    ['HTTP/1.1', ['Connection: Keep-Alive'], true],
    ['HTTP/1.1', ['Connection: keep-alive', 'Connection: CLOSE'], false],
    ['HTTP/1.0', [], false],
    ['HTTP/1.0', ['Connection: keep-alive'], true],
    ['HTTP/1.0', ['Connection: keep-alive, close'], false],
  ])('RFC 9112 §9.3 %s %j: stays open is %s', (version, fields, keepAlive) => {
    expect(requestOf(`GET / ${version}`, 'Host: a', ...fields).keepAlive).toBe(keepAlive)
  })

  it('D5 takes out hop-by-hop fields and those that Connection names', () => {
    const head = requestOf(
      'GET / HTTP/1.1',
      'X-First: 1',
      'Host: a',
      'Connection: keep-alive, X-Mine,, x-other',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic x',
      'Proxy: http://evil',
      'TE: gzip, trailers',
      'Trailer: X-Sum',
      'x-mine: 1',
      'X-Other: 2',
      'X-Last: 3',
    )
    expect(head.fields).toBe('X-First: 1\r\nX-Last: 3\r\n')
    expect(head.acceptsTrailers).toBe(true)
  })

  it('D8 keeps repeated fields, their order and their spelling', () => {
    const head = requestOf(
      'GET / HTTP/1.1',
      'host: a',
      'cOOkie:a=b',
      'X-Odd:   x  y ',
      'Cookie: c=d',
    )
    expect(head.fields).toBe('cOOkie:a=b\r\nX-Odd:   x  y \r\nCookie: c=d\r\n')
  })

  it.each([
    [['Connection: Upgrade', 'Upgrade: WebSocket'], 'websocket'],
    [['Connection: keep-alive, Upgrade', 'Upgrade: websocket'], 'websocket'],
    [['Upgrade: websocket'], ''],
    [['Connection: Upgrade'], ''],
    [['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AA'], ''],
    [['Connection: Upgrade', 'Upgrade: HTTP/2.0'], ''],
    [['Connection: Upgrade', 'Upgrade: TLS/1.0'], ''],
    [['Connection: Upgrade', 'Upgrade: websocket, h2c'], ''],
    [['Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 3'], ''],
  ])('RFC 9110 §7.8 %j upgrades to "%s"', (fields, upgrade) => {
    const head = requestOf('GET / HTTP/1.1', 'Host: a', ...fields)
    expect(head).toMatchObject({ upgrade, fields: '' })
  })

  it('RFC 9110 §7.8 ignores an upgrade in HTTP/1.0', () => {
    const fields = ['Connection: Upgrade', 'Upgrade: websocket']
    expect(requestOf('GET / HTTP/1.0', 'Host: a', ...fields).upgrade).toBe('')
  })
})

describe('expectations', () => {
  it('D17 forwards Expect: 100-continue and says so', () => {
    const head = requestOf('PUT / HTTP/1.1', 'Host: a', 'Expect: 100-Continue')
    expect(head).toMatchObject({ expectContinue: true, fields: 'Expect: 100-Continue\r\n' })
  })

  it('D17 ignores and drops it in HTTP/1.0, whose client could not read a 100', () => {
    const head = requestOf('PUT / HTTP/1.0', 'Host: a', 'Expect: 100-continue')
    expect(head).toMatchObject({ expectContinue: false, fields: '' })
  })

  it('RFC 9110 §10.1.1 refuses any other with 417', () => {
    expect(refusalOf(headOf('PUT / HTTP/1.1', 'Host: a', 'Expect: tea'))).toBe(417)
  })
})

describe('limits', () => {
  const withFields = (count: number): string =>
    headOf('GET / HTTP/1.1', 'Host: a', ...Array.from({ length: count - 1 }, () => 'A: b'))

  it('D21 takes a target up to its limit, and refuses a longer one with 414', () => {
    const target = (length: number): string => `/${'x'.repeat(length - 1)}`
    const refusal = (length: number): number =>
      refusalOf(headOf(`GET ${target(length)} HTTP/1.1`, 'Host: a'))
    expect([refusal(TARGET_BYTES_MAX), refusal(TARGET_BYTES_MAX + 1)]).toEqual([0, 414])
  })

  it('D21 takes so many fields, and refuses one more with 431', () => {
    expect([refusalOf(withFields(FIELDS_MAX)), refusalOf(withFields(FIELDS_MAX + 1))]).toEqual([
      0, 431,
    ])
  })

  it('D21 takes a head of so many bytes, and refuses one more with 431', () => {
    const frame = headOf('GET / HTTP/1.1', 'Host: a', 'A: ').length
    const sized = (bytes: number): string =>
      headOf('GET / HTTP/1.1', 'Host: a', `A: ${'x'.repeat(bytes - frame)}`)
    expect([refusalOf(sized(HEAD_BYTES_MAX)), refusalOf(sized(HEAD_BYTES_MAX + 1))]).toEqual([
      0, 431,
    ])
  })

  it('D21 tells a head without end from a line without end', () => {
    expect(refusalOfEndlessHead(`\r\nGET /${'x'.repeat(HEAD_BYTES_MAX)}`)).toBe(414)
    expect(refusalOfEndlessHead(`GET / HTTP/1.1\r\nA: ${'x'.repeat(HEAD_BYTES_MAX)}`)).toBe(431)
  })
})
