import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { bodyOf, get, getAndClose, startEdge, statusOf } from './edge.ts'
import { always, ok, startTarget, type Target } from './target.ts'

const POST =
  'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody'

/** A port that nobody listens on. */
const deadUrl = async (): Promise<string> => {
  const { url, stop } = await startTarget()
  await stop()
  return url
}

it('B5 gives targets their turns in the order of their declaration', async () => {
  await using edge = await startEdge()
  await using one = await startTarget(always(ok('one')))
  await using two = await startTarget(always(ok('two')))
  await using three = await startTarget(always(ok('three')))
  const targets = [one.url, two.url, three.url]
  edge.route({ targets })
  const bodies: string[] = []
  for (let n = 0; n < 6; n += 1) bodies.push(bodyOf(await edge.ask(getAndClose())))
  expect(bodies).toEqual(['one', 'two', 'three', 'one', 'two', 'three'])
  edge.route({ targets, ejected: [two.url] })
  bodies.length = 0
  for (let n = 0; n < 4; n += 1) bodies.push(bodyOf(await edge.ask(getAndClose())))
  expect(bodies).toEqual(['one', 'three', 'one', 'three'])
  edge.route({ targets, ejected: targets })
  expect(statusOf(await edge.ask(getAndClose()))).toBe(200)
})

it('D13 carries a thousand requests one after the other over one socket to the target', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(get().repeat(999) + getAndClose())
  await eventually('the end came', () => client.over)
  expect(client.text.match(/200 OK/g)).toHaveLength(1_000)
  expect(target.connections).toHaveLength(1)
})

it('D13 never opens more connections than it may, and queues in order beyond', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url], limits: { connectionsMax: 2, queueMax: 3 } })
  const asking = []
  for (let n = 0; n < 5; n += 1) {
    const client = edge.client()
    asking.push(client)
    client.send(getAndClose(`/${n}`))
    await eventually('the claim', () => edge.plane.work()[0]?.requests === n + 1)
  }
  const [first, second] = [await target.connection(0), await target.connection(1)]
  expect(statusOf(await edge.ask(getAndClose('/5')))).toBe(503)
  await second.head()
  await first.head()
  for (const path of ['/2', '/3', '/4']) {
    first.send(ok('x'))
    expect(await first.head()).toContain(`GET ${path} `)
  }
  first.send(ok('x'))
  second.send(ok('x'))
  for (const client of asking) await client.sees('200 OK')
  expect(target.connections).toHaveLength(2)
})

it('D13 closes connections that nobody needed for a while', async () => {
  await using edge = await startEdge({ limits: { targetIdleMs: 100 } })
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url] })
  await edge.ask(getAndClose())
  expect(target.open).toBe(1)
  await eventually('the connection closed', () => edge.plane.counters.upstreams.open === 0)
})

it('takes a request out of the queue when its client leaves', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url], limits: { connectionsMax: 1 } })
  const [first, second, third] = [edge.client(), edge.client(), edge.client()]
  for (const [n, client] of [first, second, third].entries()) {
    client.send(getAndClose(`/${n}`))
    await eventually('the claim', () => edge.plane.work()[0]?.requests === n + 1)
  }
  second.socket.resetAndDestroy()
  await eventually('it left', () => edge.plane.work()[0]?.requests === 2)
  const connection = await target.connection(0)
  await connection.head()
  connection.send(ok('x'))
  expect(await connection.head()).toContain('GET /2 ')
  connection.send(ok('x'))
  await third.sees('200 OK')
})

it('gives a connection whose client left while it was made to the next request', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url] })
  const client = edge.client()
  // The reset is read in the same turn as the request, before the connection can be there.
  client.socket.once('connect', () => {
    client.send(get())
    client.socket.resetAndDestroy()
  })
  await eventually(
    'it came and left',
    () => edge.plane.counters.clients.accepted === 1 && edge.plane.counters.clients.open === 0,
  )
  expect(statusOf(await edge.ask(getAndClose()))).toBe(200)
})

it('D9 answers 502 when the target refuses, resets or hangs up, and serves others meanwhile', async () => {
  await using edge = await startEdge()
  await using resetting = await startTarget(async (connection) => {
    await connection.head()
    connection.reset()
  })
  await using silent = await startTarget(async (connection) => {
    await connection.head()
    connection.end()
  })
  await using good = await startTarget(always(ok('good')))
  edge.route({ service: 'dead', hosts: ['dead.test'], targets: [await deadUrl()] })
  edge.route({ service: 'reset', hosts: ['reset.test'], targets: [resetting.url] })
  edge.route({ service: 'silent', hosts: ['silent.test'], targets: [silent.url] })
  edge.route({ service: 'good', hosts: ['good.test'], targets: [good.url] })
  const ask = (host: string) => edge.ask(getAndClose().replace('app.test', host))
  const [dead, reset, hungUp, fine] = await Promise.all(
    ['dead.test', 'reset.test', 'silent.test', 'good.test'].map(ask),
  )
  expect(dead).toMatch(/^HTTP\/1\.1 502 [^]*error=connection_refused[^]*refused the connection\n$/)
  expect(reset).toMatch(/^HTTP\/1\.1 502 [^]*error=connection_terminated/)
  expect(hungUp).toMatch(/^HTTP\/1\.1 502 [^]*error=connection_terminated/)
  expect(statusOf(fine ?? '')).toBe(200)
})

it('tries the next target when one refuses, whatever the method, for nothing was sent', async () => {
  await using edge = await startEdge()
  await using good = await startTarget(async (connection) => {
    await connection.head()
    connection.send(ok(await connection.read(4)))
  })
  edge.route({ targets: [await deadUrl(), good.url] })
  expect(bodyOf(await edge.ask(POST))).toBe('body')
})

it('repeats a GET once when a kept connection turns out to be dead', async () => {
  let served = 0
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    served += 1
    if (served === 1) connection.send(ok('first'))
    // The connection that is used again dies with its second request, and the next one serves it.
    await connection.head().then(
      () => connection.reset(),
      () => {},
    )
  })
  edge.route({ targets: [target.url] })
  await edge.ask(getAndClose())
  const again = edge.client()
  again.send(getAndClose())
  const fresh = await target.connection(1)
  await eventually('the request', () => served === 2)
  fresh.send(ok('second'))
  expect(bodyOf(await again.sees('second'))).toBe('second')
  expect(edge.plane.counters.retried).toBe(1)
})

it('answers from another target when a restart has taken the kept connection and the port with it', async () => {
  await using edge = await startEdge()
  await using good = await startTarget(always(ok('good')))
  let requests = 0
  await using leaving: Target = await startTarget(async (connection) => {
    await connection.head()
    requests += 1
    connection.send(ok('leaving'))
    await connection.head()
    requests += 1
    // The port is free before the connection is gone: a new one is refused.
    await leaving.stop()
  })
  const targets = [leaving.url, good.url]
  edge.route({ targets })
  expect(bodyOf(await edge.ask(getAndClose()))).toBe('leaving')
  expect(bodyOf(await edge.ask(getAndClose()))).toBe('good')
  expect(bodyOf(await edge.ask(getAndClose()))).toBe('good')
  expect(requests).toBe(2)
  expect(edge.plane.counters.retried).toBe(2)
})

it('D15 never sends a POST twice', async () => {
  let posts = 0
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(ok('warm'))
    await connection.readUntil('body')
    posts += 1
    connection.reset()
  })
  edge.route({ targets: [target.url] })
  await edge.ask(getAndClose())
  expect(statusOf(await edge.ask(POST))).toBe(502)
  expect(posts).toBe(1)
  expect(target.connections).toHaveLength(1)
})

it('D15 never sends a POST twice, even one without a body', async () => {
  const empty = POST.replace('Content-Length: 4', 'Content-Length: 0').replace('body', '')
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(ok('warm'))
    await connection.head()
    connection.reset()
  })
  edge.route({ targets: [target.url] })
  await edge.ask(getAndClose())
  expect(statusOf(await edge.ask(empty))).toBe(502)
  expect(target.connections).toHaveLength(1)
})

it('never uses a kept connection that has received bytes nobody asked for', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url] })
  await edge.ask(getAndClose())
  const connection = await target.connection(0)
  connection.send('HTTP/1.1 408 Request Timeout\r\n\r\n')
  await eventually('it was closed', () => edge.plane.counters.upstreams.open === 0)
  expect(statusOf(await edge.ask(getAndClose()))).toBe(200)
})

it('D10 N6 answers 504 when the target does not answer in time', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url], limits: { responseMs: 300 } })
  const before = performance.now()
  expect(statusOf(await edge.ask(getAndClose()))).toBe(504)
  expect(performance.now() - before).toBeGreaterThan(300)
  expect(performance.now() - before).toBeLessThan(800)
})

it('D11 isolates a client that leaves: the others finish, and its target is told', async () => {
  const part = 'x'.repeat(50_000)
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${2 * part.length}\r\n\r\n${part}`)
  })
  edge.route({ targets: [target.url] })
  const clients = Array.from({ length: 50 }, () => edge.client())
  for (const client of clients) client.send(getAndClose())
  await eventually('all have begun', () => clients.every(({ bytes }) => bytes > part.length))
  clients[7]?.socket.resetAndDestroy()
  await eventually('one has left', () => target.open === 49)
  for (const { socket } of target.connections) socket.write(part)
  await eventually('all have ended', () => clients.every(({ over }) => over))
  expect(clients.filter(({ text }) => bodyOf(text).length === 2 * part.length)).toHaveLength(49)
  expect(edge.plane.counters.abandoned).toBe(1)
})

it('D12 D14 lets a slow or silent target hold up nobody else', async () => {
  await using edge = await startEdge()
  await using silent = await startTarget()
  await using quick = await startTarget(always(ok('quick')))
  edge.route({ service: 'slow', hosts: ['slow.test'], targets: [silent.url] })
  edge.route({ targets: [quick.url] })
  const slow = Array.from({ length: 20 }, () => edge.client())
  for (const client of slow) client.send(get().replace('app.test', 'slow.test'))
  await eventually('all wait', () => silent.connections.length === slow.length)
  const before = performance.now()
  const answers = await Promise.all(Array.from({ length: 20 }, () => edge.ask(getAndClose())))
  expect(performance.now() - before).toBeLessThan(1_000)
  expect(answers.map(bodyOf)).toEqual(Array(20).fill('quick'))
})

it('D20 serves a Unix socket: missing is 502, it recovers by itself, and its 403 passes', async () => {
  const path = `${tmpdir()}/gatehouse-${process.pid}-${Date.now()}.sock`
  await using edge = await startEdge()
  edge.route({ targets: [`unix:${path}`] })
  expect(statusOf(await edge.ask(getAndClose()))).toBe(502)
  const start = (answer: string): Promise<Target> => startTarget(always(answer), { path })
  {
    await using target = await start(ok('over a socket'))
    expect(bodyOf(await edge.ask(getAndClose()))).toBe('over a socket')
    expect(target.connections).toHaveLength(1)
  }
  expect(statusOf(await edge.ask(getAndClose()))).toBe(502)
  await using restarted = await start('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
  expect(statusOf(await edge.ask(getAndClose()))).toBe(403)
  expect(restarted.connections).toHaveLength(1)
})
