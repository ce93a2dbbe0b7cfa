/**
 * P4: clients and targets that abort at every moment, by a seed. Whatever happens in between, in the end
 * nothing is left, and an honest client is served.
 */
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { get, getAndClose, startEdge, statusOf, type Edge, type RawClient } from './edge.ts'
import { always, ok, startTarget, type Script, type TargetConnection } from './target.ts'
import { ACCEPTED, HANDSHAKE, MASK, closeFrame, textFrame } from './frames.ts'

/** mulberry32: small, seeded, and the same everywhere. */
const randomFrom = (seed: number): ((below: number) => number) => {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const pause = (turns: number): Promise<void> =>
  new Promise((resolve) => (turns === 0 ? resolve() : setTimeout(resolve, turns)))

const BIG = 'x'.repeat(100_000)
const ANSWERS = [
  ok('short'),
  ok(BIG),
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${BIG.length.toString(16)}\r\n${BIG}\r\n0\r\n\r\n`,
  `HTTP/1.1 200 OK\r\n\r\n${BIG}`,
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: example\r\n\r\nhello',
  ACCEPTED,
  ACCEPTED + textFrame('hello') + closeFrame(1000),
  'garbage that is not HTTP\r\n\r\n',
]
const REQUESTS = [
  get(),
  getAndClose(),
  get('/a') + get('/b') + get('/c'),
  get('/', 'Connection: Upgrade', 'Upgrade: example'),
  HANDSHAKE,
  HANDSHAKE + textFrame('hello', MASK),
  `POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${BIG.length}\r\n\r\n${BIG}`,
  `POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  'GET / HT',
]

const anyOf = <Value>(values: readonly Value[], random: (below: number) => number): Value => {
  const value = values[random(values.length)]
  if (value === undefined) throw new Error('there is nothing to choose from')
  return value
}

const end = (socket: RawClient['socket'], way: number): void => {
  if (way === 0) socket.resetAndDestroy()
  else if (way === 1) socket.destroy()
  else socket.end()
}

/** Answers with something, in up to three pieces, and may end at any moment. */
const wildTarget =
  (random: (below: number) => number): Script =>
  async (connection: TargetConnection) => {
    while (!connection.closed) {
      if (random(12) === 0) {
        end(connection.socket, random(3))
        return
      }
      if (random(8) > 0) await connection.head()
      const answer = anyOf(ANSWERS, random)
      const cut = random(answer.length)
      connection.send(answer.slice(0, cut))
      await pause(random(3))
      if (random(6) === 0) {
        end(connection.socket, random(3))
        return
      }
      connection.send(answer.slice(cut))
    }
  }

const wildClient = async (edge: Edge, random: (below: number) => number): Promise<void> => {
  const client = edge.client()
  const request = anyOf(REQUESTS, random)
  const cut = random(request.length)
  client.send(request.slice(0, cut))
  await pause(random(3))
  if (random(4) === 0) return end(client.socket, random(3))
  client.send(request.slice(cut))
  if (random(4) === 0) client.socket.pause()
  await pause(random(15))
  end(client.socket, random(3))
}

it.each([1, 2, 3, 4])(
  'P4 survives an abort storm and leaves nothing behind (seed %i)',
  async (seed) => {
    const random = randomFrom(seed)
    await using edge = await startEdge({ limits: { lingerMs: 100, halfClosedMs: 100 } })
    await using wild = await startTarget(wildTarget(random))
    await using other = await startTarget(wildTarget(random))
    const dead = await startTarget()
    await dead.stop()
    const targets = [wild.url, dead.url, other.url]
    const limits = {
      connectionsMax: 4,
      queueMax: 8,
      idleMs: 300,
      responseMs: 300,
      upgradedIdleMs: 300,
    }
    for (let round = 0; round < 25; round += 1) {
      const drains = [{ revision: round - 1, generation: round, drainMs: random(100) }]
      const paused = random(5) === 0
      edge.route({
        revision: round,
        targets,
        limits,
        drains,
        traffic: paused ? { mode: 'paused', holdMs: 50 } : { mode: 'running' },
      })
      await Promise.all(Array.from({ length: 20 }, () => wildClient(edge, random)))
    }
    await using honest = await startTarget(always(ok('still here')))
    edge.route({ revision: 1_000, targets: [honest.url] })
    expect(statusOf(await edge.ask(getAndClose()))).toBe(200)
    await eventually('no claim is left', () =>
      edge.plane.work().every(({ requests, upgraded }) => requests + upgraded === 0),
    )
  },
)
