/** Clients and targets that send too much: each is refused or held back, and others are served meanwhile. */
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { get, getAndClose, startEdge, statusOf } from './edge.ts'
import { always, ok, startTarget } from './target.ts'

it.each([
  ['fields', 431, `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(100_000)}`],
  ['one field', 431, `GET / HTTP/1.1\r\nX: ${'y'.repeat(1_000_000)}`],
  ['a cookie', 431, get('/', `Cookie: ${'c=1; '.repeat(100_000)}`)],
  ['a target', 414, `GET /${'x'.repeat(1_000_000)}`],
])('P2 D21 refuses a flood of %s with %i, and has the client read it', async (_, status, flood) => {
  await using edge = await startEdge({ limits: { lingerMs: 300 } })
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url] })
  const attackers = Array.from({ length: 5 }, () => edge.client())
  for (const attacker of attackers) attacker.send(flood)
  expect(statusOf(await edge.ask(getAndClose()))).toBe(200)
  for (const attacker of attackers) {
    await eventually('the end came', () => attacker.over)
    expect(statusOf(attacker.text)).toBe(status)
  }
  expect(target.connections).toHaveLength(1)
})

it('P2 answers a flood of pipelined requests, and others in between', async () => {
  const requests = 20_000
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url], hosts: ['app.test'] })
  const client = edge.client()
  client.discard()
  // Nobody has this host: each is an answer of our own, which is the quickest there is.
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(requests))
  const slowest: number[] = []
  const unknown = (): number => edge.plane.counters.failures['unknown-host']
  while (unknown() < requests) {
    const from = performance.now()
    expect(statusOf(await edge.ask(getAndClose()))).toBe(200)
    slowest.push(performance.now() - from)
  }
  expect(slowest.length).toBeGreaterThan(2)
})

it('P2 makes a client wait that asks and asks and reads no answers', async () => {
  await using edge = await startEdge({ limits: { clientIdleMs: 60_000 } })
  const client = edge.client()
  client.socket.pause()
  const part = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2_000)
  for (let n = 0; n < 400; n += 1) client.send(part)
  const unknown = (): number => edge.plane.counters.failures['unknown-host']
  let before = -1
  await eventually('it is held back', async () => {
    before = unknown()
    await new Promise((resolve) => setTimeout(resolve, 300))
    return before > 0 && unknown() === before
  })
  expect(before).toBeLessThan(400 * 2_000)
  expect(client.socket.writableLength).toBeGreaterThan(1_000_000)
})

it.each([
  ['a head without an end', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(1_000_000)}`],
  ['more and more fields', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(100_000)}`],
  ['interim answers without an end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100_000)],
  ['a huge interim answer', `HTTP/1.1 103 Early Hints\r\nLink: ${'y'.repeat(1_000_000)}`],
  ['a line break within a field', 'HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\n\r\n'],
  ['a second status line', 'HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r\n\r\n'],
])('P2 answers 502 for a target that sends %s, and hangs up on it', async (_, answer) => {
  await using edge = await startEdge()
  await using target = await startTarget(always(answer))
  edge.route({ targets: [target.url] })
  const text = await edge.ask(getAndClose())
  expect(text.replaceAll('HTTP/1.1 103 Early Hints\r\n\r\n', '')).toMatch(/^HTTP\/1\.1 502 /)
  expect(text.length).toBeLessThan(2_000)
  expect(text).not.toContain('Set-Cookie')
  await eventually('the target is told', () => target.connections[0]?.closed)
})

it('P2 repeats little of what a client sent, and no character that means more than itself', async () => {
  const logged: string[] = []
  const log = {
    debug: (fields: object) => void logged.push(JSON.stringify(fields)),
    warn: () => {},
  }
  await using edge = await startEdge({ log })
  edge.route({ targets: ['http://127.0.0.1:1'], hosts: ['app.test'] })
  const secret = 'session=hunter2'
  await edge.ask(getAndClose(`/${'p'.repeat(8_000)}`, `Cookie: ${secret}${'c'.repeat(4_000)}`))
  expect(logged).toHaveLength(1)
  expect(logged[0]?.length).toBeLessThan(1_000)
  expect(logged.join('')).not.toContain('ppp')
  expect(logged.join('')).not.toContain(secret)
  const host = `${'h'.repeat(60)}.${'i'.repeat(60)}.${'j'.repeat(60)}.test`
  const unknown = await edge.ask(getAndClose().replace('app.test', host))
  expect(statusOf(unknown)).toBe(404)
  expect(unknown).not.toContain(host)
})
