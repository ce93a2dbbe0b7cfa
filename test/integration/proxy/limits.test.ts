import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { bodyOf, get, getAndClose, startEdge, statusOf } from './edge.ts'
import { always, ok, startTarget } from './target.ts'

const post = (length: number | 'chunked', body: string): string => {
  const framing = length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
  return `POST / HTTP/1.1\r\nHost: app.test\r\n${framing}\r\n\r\n${body}`
}

it('D16 answers 413 to a body that is announced too large, without asking the target', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url], limits: { requestBytesMax: 10 } })
  expect(await edge.ask(post(11, 'x'.repeat(11)))).toMatch(/^HTTP\/1\.1 413 [^]*Connection: close/)
  expect(target.connections).toHaveLength(0)
})

it('D16 answers 413 to a chunked body as soon as it is too large, and stops the target', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url], limits: { requestBytesMax: 10 } })
  const client = edge.client()
  client.send(post('chunked', '6\r\nsix on\r\n'))
  const connection = await target.connection(0)
  await connection.readUntil('six on\r\n')
  client.send('6\r\nsix on\r\n')
  await eventually('the end came', () => client.over)
  expect(statusOf(client.text)).toBe(413)
  await eventually('the target is told', () => connection.closed)
})

it('D16 lets a body of exactly the largest size through', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(ok(await connection.readUntil('0\r\n\r\n')))
  })
  edge.route({ targets: [target.url], limits: { requestBytesMax: 5 } })
  const client = edge.client()
  client.send(post('chunked', '5\r\nexact\r\n0\r\n\r\n'))
  expect(statusOf(await client.sees('exact'))).toBe(200)
})

it('D21 answers 414 to a long target, 431 to a large head and to too many fields', async () => {
  await using edge = await startEdge()
  expect(statusOf(await edge.ask(get(`/${'x'.repeat(9_000)}`)))).toBe(414)
  expect(statusOf(await edge.ask(`GET /${'x'.repeat(20_000)}`))).toBe(414)
  expect(statusOf(await edge.ask(get('/', `X: ${'x'.repeat(20_000)}`)))).toBe(431)
  expect(statusOf(await edge.ask(get('/', ...Array<string>(101).fill('X: y'))))).toBe(431)
})

it.each([
  [
    'a length with chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  ],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n'],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['no host', 'GET / HTTP/1.1\r\n\r\n'],
  ['bare line feeds', 'GET / HTTP/1.1\nHost: a\n\n'],
  ['a folded line', 'GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n'],
])('D18 refuses %s with 400 and closes, and forwards nothing', async (_, request) => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  expect(await edge.ask(request)).toMatch(/^HTTP\/1\.1 400 [^]*Connection: close/)
  expect(target.connections).toHaveLength(0)
})

it('D18 answers 400 to a malformed chunk, and the target never sees the request complete', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(post('chunked', '3\r\nabc\r\n'))
  const connection = await target.connection(0)
  await connection.readUntil('abc\r\n')
  client.send('0x3\r\nabc\r\n0\r\n\r\n')
  await eventually('the end came', () => client.over)
  expect(statusOf(client.text)).toBe(400)
  await eventually('the target is told', () => connection.closed)
  expect(connection.unread).toBe('')
})

it('N6 P2 answers 408 to a head that does not come to its end in time', async () => {
  await using edge = await startEdge({ limits: { headMs: 200 } })
  const client = edge.client()
  client.send('GET / HTTP/1.1\r\n')
  const drip = setInterval(() => client.send('X: y\r\n'), 40)
  await eventually('the end came', () => client.over)
  clearInterval(drip)
  expect(statusOf(client.text)).toBe(408)
})

it('N6 P2 closes a connection that asks for nothing, without a word', async () => {
  await using edge = await startEdge({ limits: { clientIdleMs: 200 } })
  const client = edge.client()
  await eventually('the end came', () => client.over)
  expect(client.text).toBe('')
})

it('N6 answers 408 to a client that falls silent within its body', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url], limits: { idleMs: 200 } })
  expect(statusOf(await edge.ask(post(10, 'half')))).toBe(408)
})

it('N6 answers 504 to a client that waits for a word from its target before it sends a body', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url], limits: { idleMs: 5_000, responseMs: 200 } })
  const request = post(10, '').replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n')
  expect(statusOf(await edge.ask(request))).toBe(504)
})

it('N6 cuts a response that falls silent', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'))
  edge.route({ targets: [target.url], limits: { idleMs: 200 } })
  const client = edge.client()
  client.send(get())
  await eventually('it was cut', () => client.closed)
  expect(client.error?.message).toContain('ECONNRESET')
})

it('N6 P2 cuts a client that takes nothing of its answer', async () => {
  const part = 'x'.repeat(1_000_000)
  await using edge = await startEdge({ limits: { stalledClientMs: 300 } })
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n`)
    for (let n = 0; n < 30; n += 1) connection.send(part)
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.socket.pause()
  client.send(get())
  await eventually('it was cut', () => edge.plane.counters.truncated === 1)
  expect(edge.plane.work()).toEqual([])
})

it('N6 answers 503 to a request that waits too long for a connection', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always('HTTP/1.1 200 OK\r\n\r\nit goes on'))
  edge.route({ targets: [target.url], limits: { connectionsMax: 1, responseMs: 300 } })
  const first = edge.client()
  first.send(get())
  await first.sees('it goes on')
  expect(await edge.ask(getAndClose())).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: 1\r\n/)
})

it('P2 closes connections beyond its limit at once, and serves those it has', async () => {
  await using edge = await startEdge({ limits: { clientConnectionsMax: 1 } })
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(get())
  await client.sees('200 OK')
  const refused = edge.client()
  await eventually('it was closed', () => refused.closed)
  client.send(getAndClose())
  await eventually('the end came', () => client.over)
  expect(edge.plane.counters.clients.refused).toEqual({ total: 1, address: 0 })
  expect(bodyOf(client.text)).toMatch(/^x/)
})
