import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { startEdge } from './edge.ts'
import { startHttp2Client } from './http2-client.ts'
import {
  ACK,
  TYPE,
  begin,
  frame,
  framesOf,
  goAwayOf,
  headers,
  resetOf,
  statusOf,
  uint,
} from './http2-raw.ts'
import { always, ok, startTarget } from './target.ts'

it('I8 D22 says GOAWAY when it stops, and completes what is open and what was on its way', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = begin(edge)
  client.send(headers(1))
  const busy = await target.connection(0)
  await busy.head()
  const finished = edge.plane.finish(10_000)
  await eventually('it says so', () => goAwayOf(client) === 0)
  const [first] = framesOf(client).filter(({ type }) => type === TYPE.goAway)
  expect(first?.payload).toBe(uint(2 ** 31 - 1, 4) + uint(0, 4))
  // This one crosses the GOAWAY.
  client.send(headers(3))
  const crossing = await target.connection(1)
  const ping = framesOf(client).find(({ type, flags }) => type === TYPE.ping && flags !== ACK)
  client.send(frame(TYPE.ping, ACK, 0, ping?.payload))
  await eventually('it says which was the last', () => lastTaken(client) === 3)
  client.send(headers(5))
  await eventually('a newer one is refused', () => resetOf(client, 5) === 7)
  expect(client.over).toBe(false)
  busy.send(ok('one'))
  crossing.send(ok('two'))
  await eventually('it is over', () => client.over)
  expect([statusOf(client, 1), statusOf(client, 3)]).toEqual([200, 200])
  client.socket.destroy()
  expect(await finished).toEqual({ cut: 0 })
})

const lastTaken = (client: Parameters<typeof framesOf>[0]): number | undefined =>
  framesOf(client)
    .findLast(({ type }) => type === TYPE.goAway)
    ?.payload.charCodeAt(3)

it('I8 closes a connection without streams once its client has heard, or soon', async () => {
  await using edge = await startEdge({ limits: { retiringIdleMs: 200 } })
  await using honest = await startHttp2Client(edge.port)
  const deaf = begin(edge)
  await eventually('it is served', () => deaf.text !== '')
  const finished = edge.plane.finish(10_000)
  await eventually('the honest one has gone', () => honest.closed)
  expect(honest.goAways.at(-1)).toBe(0)
  await eventually('the deaf one is left', () => deaf.over)
  deaf.socket.destroy()
  expect(await finished).toEqual({ cut: 0 })
})

it('I8 cuts what is left at the deadline: 504 where no answer has begun, a reset where one has', async () => {
  await using edge = await startEdge({ limits: { lingerMs: 100 } })
  await using target = await startTarget(async (connection) => {
    const head = await connection.head()
    if (head.includes('/begun')) connection.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart')
  })
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const waiting = client.open({ ':path': '/waiting' }, true)
  const begun = client.open({ ':path': '/begun' }, true)
  await eventually('one has begun', () => begun.answer().body === 'part')
  expect(await edge.plane.finish(200)).toEqual({ cut: 1 })
  expect((await waiting.ended()).status).toBe(504)
  expect((await begun.ended()).code).toBe(2)
})

it('I5 D22 ends the streams of a drained release by its deadline, and no others', async () => {
  await using edge = await startEdge()
  await using old = await startTarget()
  await using fresh = await startTarget(always(ok('new')))
  edge.route({ targets: [old.url] })
  await using client = await startHttp2Client(edge.port)
  const stuck = client.open({}, true)
  await (await old.connection(0)).head()
  edge.route({
    targets: [fresh.url],
    revision: 2,
    drains: [{ revision: 1, generation: 1, drainMs: 200 }],
  })
  expect((await client.ask({})).body).toBe('new')
  const cut = await stuck.ended()
  expect([cut.status, cut.headers['proxy-status']]).toEqual([
    504,
    'gatehouse; error=connection_terminated; details="drain-expired"',
  ])
  expect((await client.ask({})).body).toBe('new')
  expect(client.goAways).toEqual([])
})

it('A1 D22 fails no request while releases are switched under it', async () => {
  await using edge = await startEdge()
  await using one = await startTarget(always(ok('x')))
  await using other = await startTarget(always(ok('x')))
  const targets = [one.url, other.url]
  edge.route({ targets: [one.url] })
  await using client = await startHttp2Client(edge.port)
  const over = new AbortController()
  const statuses: number[] = []
  const loops = Array.from({ length: 8 }, async () => {
    while (!over.signal.aborted) statuses.push((await client.ask({})).status)
  })
  for (let revision = 2; revision <= 30; revision += 1) {
    const before = statuses.length
    edge.route({
      targets: [targets[revision % 2] ?? ''],
      revision,
      drains: [{ revision: revision - 1, generation: revision, drainMs: 5_000 }],
    })
    await eventually('requests go on', () => statuses.length > before + 8)
  }
  over.abort()
  await Promise.all(loops)
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(client.goAways).toEqual([])
})
