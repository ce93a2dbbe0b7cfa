/** Clients that are slow on purpose: each must end within its bound, and hold up nobody meanwhile. */
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { getAndClose, startEdge, statusOf, type Edge, type RawClient } from './edge.ts'
import { always, ok, startTarget } from './target.ts'

/** Sends `text` again and again until the proxy has had enough. */
const drip = async (client: RawClient, text: string, everyMs: number): Promise<void> => {
  const timer = setInterval(() => client.send(text), everyMs)
  await eventually('the end came', () => client.over).finally(() => clearInterval(timer))
}

const expectOthersServed = async (edge: Edge): Promise<void> =>
  expect(statusOf(await edge.ask(getAndClose()))).toBe(200)

it('P2 ends a hundred heads that never end with 408, and serves others meanwhile', async () => {
  await using edge = await startEdge({ limits: { headMs: 400, lingerMs: 100 } })
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url] })
  const attackers = Array.from({ length: 100 }, () => edge.client())
  for (const attacker of attackers) attacker.send('GET / HTTP/1.1\r\nHost: app.test\r\n')
  const dripping = attackers.map((attacker) => drip(attacker, 'X: y\r\n', 50))
  await expectOthersServed(edge)
  await Promise.all(dripping)
  expect(attackers.map(({ text }) => statusOf(text))).toEqual(Array(100).fill(408))
  expect(edge.plane.counters.failures['request-timeout']).toBe(100)
})

it('P2 answers 408 to bodies that come too slowly, and frees their target', async () => {
  const limits = { requestPaceGraceMs: 300, requestBytesPerSecondMin: 1_000, targetIdleMs: 100 }
  await using edge = await startEdge({ limits })
  await using target = await startTarget(async (connection) => {
    if ((await connection.head()).startsWith('GET')) connection.send(ok('x'))
  })
  edge.route({ targets: [target.url], limits: { connectionsMax: 11 } })
  const attackers = Array.from({ length: 10 }, () => edge.client())
  for (const attacker of attackers) {
    attacker.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n\r\n')
  }
  const dripping = attackers.map((attacker) => drip(attacker, 'x', 40))
  await expectOthersServed(edge)
  await Promise.all(dripping)
  expect(attackers.map(({ text }) => statusOf(text))).toEqual(Array(10).fill(408))
  await eventually('the target is free', () => target.open === 0)
})

it('P2 takes a slow upload to its end that keeps the pace for longer than the grace', async () => {
  const limits = { requestPaceGraceMs: 100, requestBytesPerSecondMin: 500 }
  await using edge = await startEdge({ limits })
  await using target = await startTarget(async (connection) => {
    await connection.head()
    await connection.read(2_000)
    connection.send(ok('thanks'))
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2000\r\n\r\n')
  const timer = setInterval(() => client.send('x'.repeat(100)), 50)
  expect(statusOf(await client.sees('thanks').finally(() => clearInterval(timer)))).toBe(200)
})

it('P2 cuts a client that takes nothing of its answer, even while it goes on sending', async () => {
  await using edge = await startEdge({ limits: { stalledClientMs: 300 } })
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n')
    for (let n = 0; n < 30; n += 1) connection.send('x'.repeat(1_000_000))
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.socket.pause()
  client.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n\r\n')
  const timer = setInterval(() => client.send('x'), 50)
  await eventually('it was cut', () => edge.plane.counters.truncated === 1).finally(() =>
    clearInterval(timer),
  )
  expect(edge.plane.work()).toEqual([])
})
