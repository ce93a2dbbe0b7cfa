/** Attacks that HTTP/2 makes cheap: each ends with its connection, and others are served meanwhile. */
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { get, getAndClose, startEdge, statusOf as statusOfLine, type Edge } from './edge.ts'
import { startHttp2Client } from './http2-client.ts'
import {
  END_HEADERS,
  END_STREAM,
  GET,
  POST,
  TYPE,
  begin,
  block,
  data,
  endOf,
  frame,
  framesOf,
  headers,
  reset,
  resetOf,
  setting,
  settings,
  statusOf,
  uint,
  windowUpdate,
} from './http2-raw.ts'
import { always, ok, startTarget } from './target.ts'

const ENHANCE_YOUR_CALM = 11
const REFUSED_STREAM = 7
const FLOOD = 20_000

/** Frames of the n-th stream of a client. */
const perStream = (frames: (id: number) => string): string =>
  Array.from({ length: FLOOD / 4 }, (_, index) => frames(2 * index + 3)).join('')

/** Somebody else's requests, in both protocols. */
const expectService = async (edge: Edge): Promise<void> => {
  expect(statusOfLine(await edge.ask(getAndClose()))).toBe(200)
  await using honest = await startHttp2Client(edge.port)
  expect((await honest.ask({})).status).toBe(200)
}

it.each<[string, string]>([
  ['requests that are reset at once', perStream((id) => headers(id, POST, 0) + reset(id))],
  ['requests that are whole, and reset at once', perStream((id) => headers(id) + reset(id))],
  ['requests that are malformed', perStream((id) => headers(id, []))],
  ['requests beyond all that may be open', perStream((id) => headers(id, POST, 0))],
  [
    'pieces of a head without end',
    frame(TYPE.headers, 0, 3, '') + frame(TYPE.continuation, 0, 3, '').repeat(FLOOD),
  ],
  [
    'large pieces of a head',
    frame(TYPE.headers, 0, 3, '') +
      frame(TYPE.continuation, 0, 3, block([['x', 'y'.repeat(16_000)]])).repeat(50),
  ],
  [
    'a head that is more than is held',
    frame(TYPE.headers, 0, 3, '') + frame(TYPE.continuation, 0, 3, 'x'.repeat(16_384)).repeat(3),
  ],
  ['SETTINGS', settings(setting(4, 70_000)).repeat(FLOOD)],
  ['PING', frame(TYPE.ping, 0, 0, '12345678').repeat(FLOOD)],
  ['PRIORITY', frame(TYPE.priority, 0, 3, uint(0, 5)).repeat(FLOOD)],
  ['PRIORITY_UPDATE', frame(0x10, 0, 0, `${uint(1, 4)}u=0`).repeat(FLOOD)],
  ['frames that nobody knows', frame(0xee, 0, 0, '').repeat(FLOOD)],
  ['WINDOW_UPDATE', windowUpdate(0, 1).repeat(FLOOD)],
  ['DATA without content', headers(1, POST, 0) + data(1, '').repeat(FLOOD)],
  ['updates of a stream by one', headers(1, POST, 0) + windowUpdate(1, 1).repeat(FLOOD)],
  [
    'stream after stream with an error',
    perStream((id) => headers(id, POST, 0) + windowUpdate(id, 0)),
  ],
])('P3 ends a connection that floods us with %s', async (_, flood) => {
  await using edge = await startEdge({ limits: { lingerMs: 100 } })
  await using target = await startTarget(always(() => ok('x')))
  edge.route({ targets: [target.url] })
  const attacker = begin(edge)
  attacker.send(flood)
  await expectService(edge)
  expect(await endOf(attacker)).toBe(ENHANCE_YOUR_CALM)
  expect(attacker.text.length).toBeLessThan(100_000)
  expect(target.connections.length).toBeLessThan(1_000)
  await expectService(edge)
})

it('P3 refuses what is beyond a hundred streams, and serves those that are open', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = begin(edge)
  for (let id = 1; id <= 203; id += 2) client.send(headers(id))
  await eventually('the last is refused', () => resetOf(client, 203) === REFUSED_STREAM)
  expect(resetOf(client, 201)).toBe(REFUSED_STREAM)
  await eventually('a hundred are asked for', () => target.connections.length === 100)
  const last = await target.connection(99)
  last.send(ok('still'))
  await eventually('one is answered', () => framesOf(client).some(({ type }) => type === TYPE.data))
  client.send(headers(205))
  await eventually('there is room again', () => last.unread.split('GET / ').length === 3)
})

it('P3 answers 431 to fields that a bomb of references blows up, without building them', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url] })
  const client = begin(edge)
  const large = 'y'.repeat(4_000)
  const bomb = `${block(GET)}\x40\x01x\x7f\xa1\x1e${large}${'\xbe'.repeat(12_000)}`
  const before = process.memoryUsage().heapUsed
  for (let id = 1; id < 200; id += 2)
    client.send(frame(TYPE.headers, END_HEADERS | END_STREAM, id, bomb))
  await eventually('the last is refused', () => statusOf(client, 199) === 431)
  // As text they would be 48 MB each.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000)
  await expectService(edge)
})

it('P3 answers 431 to a large head that comes in pieces', async () => {
  await using edge = await startEdge()
  const client = begin(edge)
  const large = block([...GET, ['x', 'y'.repeat(20_000)]])
  client.send(
    frame(TYPE.headers, END_STREAM, 1, large.slice(0, 16_000)) +
      frame(TYPE.continuation, END_HEADERS, 1, large.slice(16_000)),
  )
  await eventually('it is refused', () => statusOf(client, 1) !== undefined)
  expect(statusOf(client, 1)).toBe(431)
})

it('P3 reads no more of a target than its client takes, and resets a client that takes nothing', async () => {
  // More than two kernels keep for two sockets.
  const answerBytes = 40_000_000
  await using edge = await startEdge({ limits: { stalledClientMs: 1_500 } })
  await using target = await startTarget(always(ok('z'.repeat(answerBytes))))
  edge.route({ targets: [target.url] })
  const client = begin(edge, setting(4, 0))
  for (const id of [1, 3, 5]) client.send(headers(id))
  await eventually('heads are here', () => [1, 3, 5].every((id) => statusOf(client, id) === 200))
  client.send(frame(TYPE.ping, 0, 0, 'still ok'))
  await eventually('it is heard', () => client.text.includes('still ok'))
  const isHeldBack = target.connections.map(({ socket }) => socket.writableLength > 0)
  expect(isHeldBack).toEqual([true, true, true])
  await eventually('all are reset', () => [1, 3, 5].every((id) => resetOf(client, id) === 2))
  expect(framesOf(client).filter(({ type }) => type === TYPE.data)).toEqual([])
  expect(edge.plane.counters.truncated).toBe(3)
})

it('P3 resets a stream whose client takes nothing of the end of an answer that is complete', async () => {
  await using edge = await startEdge({ limits: { stalledClientMs: 200 } })
  await using target = await startTarget(always(ok('window')))
  edge.route({ targets: [target.url] })
  const client = begin(edge, setting(4, 1))
  client.send(headers(1))
  await eventually('it is reset', () => resetOf(client, 1) !== undefined)
  expect(resetOf(client, 1)).toBe(8)
  expect(target.connections.map(({ left }) => left)).toEqual([false])
  expect(edge.plane.work()).toEqual([])
})

it('P3 sends what a small window lets through, octet by octet', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('window')))
  edge.route({ targets: [target.url] })
  const client = begin(edge, setting(4, 1))
  client.send(headers(1))
  const content = (): string =>
    framesOf(client)
      .filter(({ type }) => type === TYPE.data)
      .map(({ payload }) => payload)
      .join('')
  for (const part of ['w', 'wi', 'win', 'wind', 'windo']) {
    await eventually(`"${part}" is here`, () => content() === part)
    client.send(windowUpdate(1, 1))
  }
  await eventually('all is here', () => content() === 'window')
  const last = framesOf(client).findLast(({ type }) => type === TYPE.data)
  expect(last?.flags).toBe(END_STREAM)
})

it('P3 lets a setting take a window below nothing, and goes on when it is back', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('x'.repeat(100))))
  edge.route({ targets: [target.url] })
  const client = begin(edge, setting(4, 60))
  client.send(headers(1))
  const sent = (): number =>
    framesOf(client).reduce(
      (sum, { type, payload }) => sum + (type === TYPE.data ? payload.length : 0),
      0,
    )
  await eventually('the window is used up', () => sent() === 60)
  client.send(settings(setting(4, 10)) + windowUpdate(1, 50) + frame(TYPE.ping, 0, 0, 'in order'))
  await eventually('that was read', () => client.text.includes('in order'))
  expect(sent()).toBe(60)
  client.send(settings(setting(4, 50)))
  await eventually('all is here', () => sent() === 100)
})

it('P3 answers 408 to a body that falls silent, and goes on with the others', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url], limits: { idleMs: 200 } })
  const client = begin(edge)
  client.send(headers(1, POST, 0) + data(1, 'slow'))
  await eventually('it is refused', () => statusOf(client, 1) === 408)
  await eventually('it need not go on', () => resetOf(client, 1) === 0)
  client.send(data(1, 'later') + headers(3))
  const connection = await target.connection(1)
  connection.send(ok(''))
  await eventually('the next is answered', () => statusOf(client, 3) !== undefined)
  expect(statusOf(client, 3)).toBe(200)
})

it.each<[string, string]>([
  ['no SETTINGS', ''],
  ['half a frame', `${settings()}${headers(1).slice(0, 15)}`],
  ['half a head', `${settings()}${frame(TYPE.headers, END_STREAM, 1, block(GET))}`],
])('P3 D21 leaves a client that sends %s and then nothing', async (_, bytes) => {
  await using edge = await startEdge({ limits: { headMs: 200, lingerMs: 100 } })
  const client = edge.client()
  client.send(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${bytes}`)
  expect(await endOf(client)).toBe(0)
})

it.each([200, 2_300])(
  'P3 leaves a client that asks for nothing for %i ms',
  async (clientIdleMs) => {
    await using edge = await startEdge({ limits: { clientIdleMs, lingerMs: 100 } })
    const client = begin(edge)
    expect(await endOf(client)).toBe(0)
  },
)

it('P3 counts connections of HTTP/2 against what one address may have', async () => {
  await using edge = await startEdge({ limits: { clientConnectionsPerAddressMax: 2 } })
  const first = begin(edge)
  const second = begin(edge)
  await eventually('both are served', () => first.text !== '' && second.text !== '')
  const third = begin(edge)
  await eventually('the third is reset', () => third.closed)
  expect(edge.plane.counters.clients.refused.address).toBe(1)
  const other = edge.client('127.0.0.2')
  other.send(get())
  expect(await other.sees('404')).toContain('unknown-host')
})
