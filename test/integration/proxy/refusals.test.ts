/**
 * What is refused, as docs/http.md lists it: one status and one closed connection for each, and not a byte
 * of it for any target, nor of what came behind it.
 */
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { get, startEdge, statusOf } from './edge.ts'
import { always, ok, startTarget } from './target.ts'

const HOST = 'Host: app.test'
const post = (...lines: readonly string[]): string =>
  ['POST / HTTP/1.1', HOST, ...lines, '', ''].join('\r\n')
const line = (requestLine: string): string => `${requestLine}\r\n${HOST}\r\n\r\n`

it.each<readonly [string, string, number]>([
  [
    'Content-Length with Transfer-Encoding',
    post('Content-Length: 5', 'Transfer-Encoding: chunked'),
    400,
  ],
  ['a list of lengths', post('Content-Length: 5, 5'), 400],
  ['a signed length', post('Content-Length: +5'), 400],
  ['a hexadecimal length', post('Content-Length: 0x5'), 400],
  ['a huge length', post('Content-Length: 99999999999999999999'), 400],
  ['an unknown coding', post('Transfer-Encoding: gzip, chunked'), 501],
  ['chunked twice', post('Transfer-Encoding: chunked, chunked'), 400],
  ['chunks in HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
  ['a bare CR in a value', post('X: a\rb'), 400],
  ['a NUL in a value', post('X: a\0b'), 400],
  ['a folded line', post('X: a', ' b'), 400],
  ['white space before a colon', post('Content-Length : 5'), 400],
  ['a field without a name', post(': 5'), 400],
  ['a name that is no token', post('X[y]: 5'), 400],
  ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['two Hosts alike', `GET / HTTP/1.1\r\n${HOST}\r\n${HOST}\r\n\r\n`, 400],
  ['another Host than the target', line('GET http://other.test/ HTTP/1.1'), 400],
  ['Connection about X-Forwarded-For', post('Connection: X-Forwarded-For'), 400],
  ['Connection about Authorization', post('Connection: authorization'), 400],
  ['Connection about Content-Length', post('Content-Length: 5', 'Connection: Content-Length'), 400],
  ['%00 in a path', line('GET /a%00.php HTTP/1.1'), 400],
  ['a fragment', line('GET /a#b HTTP/1.1'), 400],
  ['a relative path', line('GET a HTTP/1.1'), 400],
  ['an asterisk for GET', line('GET * HTTP/1.1'), 400],
  ['CONNECT', 'CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n\r\n', 405],
  ['TRACE', line('TRACE / HTTP/1.1'), 405],
  ['an unknown method', line('BREW / HTTP/1.1'), 501],
  ['HTTP/2 in lines', line('GET / HTTP/2.0'), 505],
  ['HTTP/0.9', 'GET /\r\n\r\n', 400],
  ['another expectation', post('Expect: tea'), 417],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n', 400],
])('P1 D18 refuses %s', async (_, request, status) => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('reached')))
  edge.route({ targets: [target.url] })
  const answer = await edge.ask(request + get('/smuggled'))
  expect(statusOf(answer)).toBe(status)
  expect(answer.match(/^HTTP\/1\.1 \d/gm)).toHaveLength(1)
  expect(answer).toContain('Connection: close\r\n')
  expect(answer).toContain('Proxy-Status: gatehouse; error=http_request_error')
  expect(target.connections).toHaveLength(0)
})

it.each([
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy'],
  ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx'],
  ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nx'],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['white space before a colon', 'HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 1\r\n\r\nx'],
  ['a NUL', 'HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 1\r\n\r\nx'],
  ['a status of six hundred', 'HTTP/1.1 600 Odd\r\nContent-Length: 1\r\n\r\nx'],
  ['HTTP/2', 'HTTP/2 200 OK\r\nContent-Length: 1\r\n\r\nx'],
])('P1 refuses an answer with %s', async (_, answer) => {
  await using edge = await startEdge()
  await using target = await startTarget(always(answer))
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(get('/1') + get('/2'))
  await eventually('both are refused', () => client.text.match(/^HTTP\/1\.1 502 /gm)?.length === 2)
  // The connection that said it is not asked again.
  expect(target.connections).toHaveLength(2)
})
