import { describe, expect, it } from 'vitest'
import {
  createPeer,
  forwardedRequestHead,
  forwardedResponseHead,
  keptRequestId,
  type Destination,
} from './forward-head.ts'
import { headOf, requestOf, responseOf } from './testing/read-head.ts'

const client = createPeer('192.0.2.1', 'http', false)
const balancer = createPeer('10.0.0.1', 'http', true)
const target: Destination = { hostHeader: 'preserve', authority: 'app.internal:3000', basePath: '' }

describe('what a target gets', () => {
  it('D7 is the kept request, and who sent it', () => {
    const head = requestOf('GET /x?y HTTP/1.1', 'Host: A.example:80', 'Accept: */*', 'Cookie: a=b')
    expect(forwardedRequestHead(head, client, target, 'id-1', 1234)).toBe(
      headOf(
        'GET /x?y HTTP/1.1',
        'Host: A.example:80',
        'Accept: */*',
        'Cookie: a=b',
        'X-Forwarded-For: 192.0.2.1',
        'X-Forwarded-Proto: http',
        'X-Forwarded-Host: A.example:80',
        'X-Request-Start: t=1234',
        'X-Request-ID: id-1',
      ),
    )
  })

  it('D7 replaces what an untrusted client says of itself', () => {
    const head = requestOf('GET / HTTP/1.1', 'Host: a', ...SPOOFED)
    expect(forwardedRequestHead(head, client, target, 'id', 0)).toBe(
      headOf(
        'GET / HTTP/1.1',
        'Host: a',
        'X-Forwarded-For: 192.0.2.1',
        'X-Forwarded-Proto: http',
        'X-Forwarded-Host: a',
        'X-Request-Start: t=0',
        'X-Request-ID: id',
      ),
    )
  })

  it('D7 extends what a trusted proxy says', () => {
    const head = requestOf('GET / HTTP/1.1', 'Host: a', ...SPOOFED, 'X-Forwarded-For: 7.7.7.7')
    expect(forwardedRequestHead(head, balancer, target, 'theirs', 0)).toBe(
      headOf(
        'GET / HTTP/1.1',
        'Host: a',
        'X-Forwarded-For: 6.6.6.6, 7.7.7.7, 10.0.0.1',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Host: public.example',
        'X-Request-Start: t=5',
        'X-Real-IP: 6.6.6.6',
        'Forwarded: for=6.6.6.6',
        'X-Forwarded-Port: 443',
        'X-Request-ID: theirs',
      ),
    )
  })

  it('D7 says for a trusted proxy what it left unsaid', () => {
    const text = forwardedRequestHead(
      requestOf('GET / HTTP/1.1', 'Host: a'),
      balancer,
      target,
      'i',
      9,
    )
    expect(text).toContain('X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: http\r\n')
    expect(text).toContain('X-Forwarded-Host: a\r\nX-Request-Start: t=9\r\n')
  })

  it.each([
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('D7 shows the client %s as %s', (remoteAddress, address) => {
    expect(createPeer(remoteAddress, 'http', false).address).toBe(address)
  })

  it('D6 has the host and path that the target wants', () => {
    const wants: Destination = { hostHeader: 'target', authority: 'app:3000', basePath: '/base' }
    const text = forwardedRequestHead(
      requestOf('GET /x HTTP/1.1', 'Host: a'),
      client,
      wants,
      'i',
      0,
    )
    expect(text).toContain('GET /base/x HTTP/1.1\r\nHost: app:3000\r\n')
    expect(text).toContain('X-Forwarded-Host: a\r\n')
  })

  it('C3 has the host of the target when the client named none', () => {
    const text = forwardedRequestHead(requestOf('GET / HTTP/1.0'), client, target, 'i', 0)
    expect(text).toContain('GET / HTTP/1.1\r\nHost: app.internal:3000\r\n')
    expect(text).not.toContain('X-Forwarded-Host')
  })

  it('RFC 9112 §3.2.4 has the asterisk without a base path', () => {
    const head = requestOf('OPTIONS * HTTP/1.1', 'Host: a')
    const text = forwardedRequestHead(head, client, { ...target, basePath: '/base' }, 'i', 0)
    expect(text).toContain('OPTIONS * HTTP/1.1\r\n')
  })

  it.each([
    [
      ['Connection: Upgrade', 'Upgrade: WebSocket'],
      'Connection: Upgrade\r\nUpgrade: websocket\r\n',
    ],
    [['TE: trailers'], 'Connection: TE\r\nTE: trailers\r\n'],
  ])('D5 %j becomes a field of our own connection', (fields, lines) => {
    const head = requestOf('GET / HTTP/1.1', 'Host: a', ...fields)
    expect(forwardedRequestHead(head, client, target, 'i', 0)).toContain(lines)
  })

  it.each([
    ['a trusted proxy keeps its id', balancer, 'abc-123', 'abc-123'],
    ['an untrusted client does not', client, 'abc-123', ''],
    ['an id that needs quoting is not kept', balancer, 'a"b', ''],
    ['nor is an endless one', balancer, 'x'.repeat(129), ''],
  ])('request ids: %s', (_, peer, id, kept) => {
    const head = requestOf('GET / HTTP/1.1', 'Host: a', `X-Request-ID: ${id}`)
    expect(keptRequestId(head, peer)).toBe(kept)
  })
})

const SPOOFED = [
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: public.example',
  'X-Real-IP: 6.6.6.6',
  'Forwarded: for=6.6.6.6',
  'X-Forwarded-Port: 443',
  'X-Request-ID: theirs',
  'X-Request-Start: t=5',
]

describe('what a client gets', () => {
  it('D8 is the kept response, in our version, with its framing last', () => {
    const head = responseOf(
      'HTTP/1.0 200 Fine',
      'content-length: 5',
      'Set-Cookie: a',
      'Connection: close',
      'Set-Cookie: b',
    )
    expect(forwardedResponseHead(head, 1, true)).toBe(
      headOf('HTTP/1.1 200 Fine', 'Set-Cookie: a', 'Set-Cookie: b', 'Content-Length: 5'),
    )
  })

  it.each([
    [1, true, ''],
    [1, false, 'Connection: close\r\n'],
    [0, true, 'Connection: keep-alive\r\n'],
    [0, false, 'Connection: close\r\n'],
  ] as const)('RFC 9112 §9.6 HTTP/1.%i, stays open %s: "%s"', (version, keepAlive, lines) => {
    const head = responseOf('HTTP/1.1 200 OK', 'Content-Length: 0')
    expect(forwardedResponseHead(head, version, keepAlive)).toBe(
      `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${lines}\r\n`,
    )
  })

  it('RFC 9112 §6.1 says nothing of chunks to HTTP/1.0', () => {
    const head = responseOf('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')
    expect(forwardedResponseHead(head, 1, true)).toContain('Transfer-Encoding: chunked\r\n')
    expect(forwardedResponseHead(head, 0, false)).not.toContain('Transfer-Encoding')
  })

  it('D17 a 100 and a 103 say nothing of the connection', () => {
    const head = responseOf('HTTP/1.1 103 Early Hints', 'Link: </a.css>')
    expect(forwardedResponseHead(head, 1, false)).toBe(
      headOf('HTTP/1.1 103 Early Hints', 'Link: </a.css>'),
    )
  })

  it.each([
    [101, true, 'Connection: Upgrade\r\nUpgrade: websocket\r\n'],
    [426, true, 'Connection: Upgrade\r\nUpgrade: websocket\r\n'],
    [426, false, 'Connection: close, Upgrade\r\nUpgrade: websocket\r\n'],
  ])('RFC 9110 §7.8 a %i speaks of the upgrade', (status, keepAlive, lines) => {
    const head = responseOf(`HTTP/1.1 ${status} X`, 'Connection: Upgrade', 'Upgrade: websocket')
    expect(forwardedResponseHead(head, 1, keepAlive)).toContain(`X\r\n${lines}\r\n`)
  })
})
