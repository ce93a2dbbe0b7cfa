import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { bodyOf, get, getAndClose, startEdge, statusOf } from './edge.ts'
import { always, ok, startTarget } from './target.ts'

const drain = (drainMs: number | 'infinity') => ({ revision: 1, generation: 1, drainMs })
const UPGRADE = get('/', 'Connection: Upgrade', 'Upgrade: example/1')
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: example/1\r\n\r\n'

it('A8 lets a plain response of the old release end intact, and knows at once that it is drained', async () => {
  const drained: unknown[] = []
  await using edge = await startEdge({ onDrained: (work) => drained.push(work) })
  await using blue = await startTarget()
  await using green = await startTarget(always(ok('green')))
  edge.route({ targets: [blue.url] })
  const client = edge.client()
  client.send(get())
  const connection = await blue.connection(0)
  await connection.head()
  edge.route({ revision: 2, targets: [green.url], drains: [drain(30_000)] })
  expect(edge.plane.work()).toEqual([
    {
      service: 'web',
      release: 'r1',
      revision: 1,
      requests: 1,
      upgraded: 0,
      cut: 0,
      draining: true,
    },
  ])
  expect(bodyOf(await edge.ask(getAndClose()))).toBe('green')
  connection.send(ok('blue to the end'))
  await client.sees('blue to the end')
  expect(drained).toMatchObject([{ revision: 1, requests: 0, upgraded: 0, draining: true }])
  client.send(get())
  await client.sees('green')
  edge.route({ revision: 2, targets: [green.url] })
  expect(edge.plane.work()).toEqual([])
})

it('A9 cuts a stream that goes on at the drain deadline, and not before', async () => {
  await using edge = await startEdge()
  await using blue = await startTarget(async (connection) => {
    await connection.head()
    connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n')
  })
  await using green = await startTarget(always(ok('green')))
  edge.route({ targets: [blue.url] })
  const client = edge.client()
  client.send(get())
  await client.sees('x\r\n')
  const before = performance.now()
  edge.route({ revision: 2, targets: [green.url], drains: [drain(400)] })
  await eventually('the stream was cut', () => client.closed)
  expect(performance.now() - before).toBeGreaterThan(400)
  expect(performance.now() - before).toBeLessThan(900)
  expect(client.error?.message).toContain('ECONNRESET')
  expect(edge.plane.work()).toMatchObject([{ revision: 1, requests: 0, cut: 1, draining: true }])
})

it('A9 answers 504 at the deadline when no answer had begun', async () => {
  await using edge = await startEdge()
  await using blue = await startTarget()
  edge.route({ targets: [blue.url] })
  const client = edge.client()
  client.send(getAndClose())
  await blue.connection(0)
  edge.route({ drains: [drain(100)] })
  await eventually('the end came', () => client.over)
  expect(statusOf(client.text)).toBe(504)
})

it('A11 cuts nothing when the drain is without end', async () => {
  await using edge = await startEdge()
  await using blue = await startTarget()
  edge.route({ targets: [blue.url] })
  const client = edge.client()
  client.send(getAndClose())
  const connection = await blue.connection(0)
  edge.route({ drains: [drain('infinity')] })
  await new Promise((resolve) => setTimeout(resolve, 250))
  connection.send(ok('late'))
  expect(bodyOf(await client.sees('late'))).toBe('late')
})

it('A14 cancels the deadline when the release becomes active again', async () => {
  await using edge = await startEdge()
  await using blue = await startTarget()
  edge.route({ targets: [blue.url] })
  const client = edge.client()
  client.send(getAndClose())
  const connection = await blue.connection(0)
  edge.route({ drains: [drain(100)] })
  edge.route({ targets: [blue.url] })
  await new Promise((resolve) => setTimeout(resolve, 400))
  connection.send(ok('spared'))
  expect(bodyOf(await client.sees('spared'))).toBe('spared')
  expect(blue.connections).toHaveLength(1)
})

it('A14 counts what a drain cut for that drain only', async () => {
  await using edge = await startEdge()
  await using blue = await startTarget()
  edge.route({ targets: [blue.url] })
  edge.client().send(getAndClose())
  await blue.connection(0)
  edge.route({ drains: [drain(100)] })
  await eventually('the first drain cuts', () => edge.plane.work()[0]?.cut === 1)
  edge.route({ targets: [blue.url] })
  edge.route({ drains: [{ revision: 1, generation: 2, drainMs: 100 }] })
  expect(edge.plane.work()[0]).toMatchObject({ draining: true, cut: 0 })
})

it('lets the work of a removed service go on, and answers 404 to new requests', async () => {
  await using edge = await startEdge()
  await using blue = await startTarget()
  edge.route({ targets: [blue.url] })
  const client = edge.client()
  client.send(getAndClose())
  const connection = await blue.connection(0)
  edge.route({ hosts: [], drains: [drain(10_000)] })
  expect(statusOf(await edge.ask(getAndClose()))).toBe(404)
  edge.plane.setRoute('web', undefined)
  expect(edge.plane.work()).toMatchObject([{ requests: 1 }])
  connection.send(ok('last words'))
  await client.sees('last words')
  await eventually('it is forgotten', () => edge.plane.answers().length === 0)
})

it('answers 503 while no release is active', async () => {
  await using edge = await startEdge()
  edge.route({})
  expect(statusOf(await edge.ask(getAndClose()))).toBe(503)
})

it('A19 holds requests while a service is paused, and lets them go in their order', async () => {
  const seen: string[] = []
  await using edge = await startEdge()
  await using target = await startTarget(
    always((head) => {
      seen.push(head.slice(5, 6))
      return ok('went on')
    }),
  )
  const targets = [target.url]
  edge.route({
    targets,
    traffic: { mode: 'paused', holdMs: 10_000 },
    limits: { connectionsMax: 1 },
  })
  const clients = []
  for (const n of [1, 2, 3]) {
    const client = edge.client()
    client.send(getAndClose(`/${n}`))
    clients.push(client)
    await eventually('it waits', () => edge.plane.hosts.fallback?.queue.size === n)
  }
  expect(edge.plane.work()).toEqual([])
  expect(statusOf(await edge.ask(getAndClose('/up')))).toBe(200)
  edge.route({ targets, limits: { connectionsMax: 1 } })
  for (const client of clients) await client.sees('went on')
  expect(seen).toEqual(['1', '2', '3'])
})

it('A19 answers 504 to a request that was held too long, 503 to one too many, and 503 once stopped', async () => {
  await using edge = await startEdge({ limits: { pausedRequestsMax: 1 } })
  await using target = await startTarget(always(ok('x')))
  const targets = [target.url]
  edge.route({ targets, traffic: { mode: 'paused', holdMs: 300 } })
  const held = edge.client()
  held.send(getAndClose())
  await eventually('it waits', () => edge.plane.hosts.fallback?.queue.size === 1)
  expect(await edge.ask(getAndClose())).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: /)
  await eventually('the end came', () => held.over)
  expect(statusOf(held.text)).toBe(504)
  const stopped = edge.client()
  stopped.send(getAndClose())
  await eventually('it waits', () => edge.plane.hosts.fallback?.queue.size === 1)
  edge.route({ targets, traffic: { mode: 'stopped', message: 'moving house' } })
  await eventually('the end came', () => stopped.over)
  expect(statusOf(stopped.text)).toBe(503)
  expect(statusOf(await edge.ask(getAndClose('/up?from=balancer')))).toBe(200)
})

it('forgets a held request whose client leaves', async () => {
  await using edge = await startEdge()
  edge.route({ traffic: { mode: 'paused', holdMs: 10_000 } })
  const client = edge.client()
  client.send(get())
  await eventually('it waits', () => edge.plane.hosts.fallback?.queue.size === 1)
  client.socket.resetAndDestroy()
  await eventually('it left', () => edge.plane.hosts.fallback?.queue.size === 0)
  expect(edge.plane.counters.failures['pause-expired']).toBe(0)
})

it('splices an upgraded connection both ways, and counts it until both sides have ended', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(`${UPGRADE}early`)
  const connection = await target.connection(0)
  expect(await connection.head()).toMatch(/Connection: Upgrade\r\nUpgrade: example\/1\r\n/)
  connection.send(`${SWITCH}hello`)
  expect(await client.sees('hello')).toMatch(
    /^HTTP\/1\.1 101 [^]*Upgrade: example\/1\r\n\r\nhello$/,
  )
  await connection.readUntil('early')
  expect(edge.plane.work()).toMatchObject([{ requests: 0, upgraded: 1 }])
  client.send('ping')
  await connection.readUntil('ping')
  connection.end('last')
  await eventually('the target has ended', () => client.ended)
  expect(client.text).toMatch(/last$/)
  client.socket.end('mine')
  await connection.readUntil('mine')
  await eventually('all is over', () => edge.plane.work().length === 0)
})

it('lets the target of an upgraded connection speak on after the client has ended', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(UPGRADE)
  const connection = await target.connection(0)
  await connection.head()
  connection.send(SWITCH)
  await client.sees('101')
  client.socket.end('goodbye')
  await connection.readUntil('goodbye')
  await eventually('the target hears the end', () => connection.ended)
  expect(edge.plane.work()).toMatchObject([{ upgraded: 1 }])
  connection.end('and goodbye')
  await eventually('the client hears the end', () => client.over)
  expect(client.text).toMatch(/and goodbye$/)
  expect(client.error).toBeUndefined()
})

it('passes a refused upgrade on as the answer it is', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(
    always('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n'),
  )
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(UPGRADE + getAndClose())
  await eventually('the end came', () => client.over)
  expect(client.text.match(/426 Upgrade/g)).toHaveLength(2)
})

it('cuts upgraded connections at the drain deadline, and when they are silent for too long', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(SWITCH))
  edge.route({ targets: [target.url], limits: { upgradedIdleMs: 300 } })
  const silent = edge.client()
  silent.send(UPGRADE)
  await silent.sees('101')
  await eventually('silence was ended', () => silent.closed)
  const drained = edge.client()
  drained.send(UPGRADE)
  await drained.sees('101')
  edge.route({ drains: [drain(0)] })
  await eventually('it was cut', () => drained.closed)
  expect(edge.plane.work()).toMatchObject([{ cut: 1, upgraded: 0 }])
})
