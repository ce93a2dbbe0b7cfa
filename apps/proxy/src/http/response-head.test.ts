import { describe, expect, it } from 'vitest'
import { FIELDS_MAX, HEAD_BYTES_MAX } from './limits.ts'
import { bodyOf } from './response-head.ts'
import { headOf, responseOf, responseRefusalOf } from './testing/read-head.ts'

describe('the status line', () => {
  it.each([
    ['HTTP/1.1 200 OK', 200, 'OK', 1],
    ['HTTP/1.1 200 ', 200, '', 1],
    ['HTTP/1.1 200', 200, '', 1],
    ['HTTP/1.0 404 Not Found', 404, 'Not Found', 0],
    ['HTTP/1.1 599 Caf\u00e9', 599, 'Caf\u00e9', 1],
  ])('RFC 9112 §4 reads %s', (statusLine, status, reason, minorVersion) => {
    expect(responseOf(statusLine)).toMatchObject({ status, reason, minorVersion })
  })

  it.each([
    'HTTP/2.0 200 OK',
    'HTTP/1.2 200 OK',
    'http/1.1 200 OK',
    'ICY 200 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 600 OK',
    'HTTP/1.1 +20 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 OK\n',
    '\r\nHTTP/1.1 200 OK',
  ])('RFC 9112 §4 refuses %j', (statusLine) => {
    expect(responseRefusalOf(headOf(statusLine))).toBe(502)
  })

  it.each([
    ['bytes', headOf('HTTP/1.1 200 OK', `A: ${'x'.repeat(HEAD_BYTES_MAX)}`)],
    ['fields', headOf('HTTP/1.1 200 OK', ...Array.from({ length: FIELDS_MAX + 1 }, () => 'A: b'))],
  ])('D21 refuses too many %s', (_, text) => {
    expect(responseRefusalOf(text)).toBe(502)
  })
})

describe('fields', () => {
  it('D8 keeps repeated fields as they came', () => {
    const cookies = ['Set-Cookie: a=1', 'set-cookie: b=2', 'Set-Cookie: c=3']
    expect(responseOf('HTTP/1.1 200 OK', ...cookies).fields).toBe(
      'Set-Cookie: a=1\r\nset-cookie: b=2\r\nSet-Cookie: c=3\r\n',
    )
  })

  it('D5 takes out hop-by-hop fields and those that Connection names', () => {
    const head = responseOf(
      'HTTP/1.1 200 OK',
      'Server: x',
      'Connection: keep-alive, X-Mine, Transfer-Encoding',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: x',
      'Proxy-Authenticate: Basic',
      'Upgrade: h2c',
      'x-mine: 1',
      'Transfer-Encoding: chunked',
      'Trailer: X-Sum',
    )
    expect(head).toMatchObject({
      fields: 'Server: x\r\nTrailer: X-Sum\r\n',
      chunked: true,
      keepAlive: true,
      upgrade: '',
    })
  })

  it.each([
    ['HTTP/1.1 200 OK', [], true],
    ['HTTP/1.1 200 OK', ['Connection: close'], false],
    ['HTTP/1.1 200 OK', ['Connection: Keep-Alive, Close'], false],
    ['HTTP/1.1 200 OK', ['Connection: close;'], false],
    ['HTTP/1.0 200 OK', [], false],
    ['HTTP/1.0 200 OK', ['Connection: keep-alive'], true],
  ])('RFC 9112 §9.3 %s %j: stays open is %s', (statusLine, fields, keepAlive) => {
    expect(responseOf(statusLine, ...fields).keepAlive).toBe(keepAlive)
  })

  it.each([
    [101, 'websocket'],
    [426, 'websocket'],
    [200, ''],
  ])('RFC 9110 §7.8 a %i offers the upgrade "%s"', (status, upgrade) => {
    const fields = ['Connection: Upgrade', 'Upgrade: websocket']
    expect(responseOf(`HTTP/1.1 ${status} X`, ...fields).upgrade).toBe(upgrade)
  })
})

describe('bodies', () => {
  it.each([
    ['GET', 200, ['Content-Length: 5'], 'length'],
    ['GET', 200, ['Content-Length: 0'], 'none'],
    ['GET', 200, ['Transfer-Encoding: chunked'], 'chunked'],
    ['GET', 200, [], 'until-close'],
    ['HEAD', 200, ['Content-Length: 5'], 'none'],
    ['HEAD', 200, ['Transfer-Encoding: chunked'], 'none'],
    ['HEAD', 200, [], 'none'],
    ['GET', 304, ['Content-Length: 5'], 'none'],
    ['GET', 204, [], 'none'],
    ['GET', 204, ['Content-Length: 5'], 'none'],
    ['GET', 103, [], 'none'],
    ['GET', 101, [], 'none'],
    ['POST', 205, [], 'until-close'],
  ])('D17 %s %i %j: %s', (method, status, fields, framing) => {
    expect(bodyOf(responseOf(`HTTP/1.1 ${status} X`, ...fields), method)).toBe(framing)
  })

  it.each([
    [204, 'Content-Length: 0'],
    [204, 'Transfer-Encoding: chunked'],
    [103, 'Content-Length: 0'],
  ])('D17 a %i forgets its %s (RFC 9110 §8.6)', (status, field) => {
    expect(responseOf(`HTTP/1.1 ${status} X`, field)).toMatchObject({
      contentLength: -1,
      chunked: false,
      fields: '',
    })
  })

  it.each(['Content-Length: 7', 'Transfer-Encoding: chunked'])(
    'P1 refuses a 1xx with %s, behind which llhttp waits for a body (RFC 9110 §8.6)',
    (field) => {
      expect(responseRefusalOf(headOf('HTTP/1.1 134 X', field))).toBe(502)
      expect(responseRefusalOf(headOf('HTTP/1.1 103 X', field))).toBe(502)
    },
  )

  it('D18 refuses chunks in HTTP/1.0 (RFC 9112 §6.1)', () => {
    expect(responseRefusalOf(headOf('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'))).toBe(502)
  })
})
