/** How a WebSocket ends that nobody closed: each side is told, at a place where it can understand it. */
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { startEdge, type Edge, type RawClient, type RouteSketch } from './edge.ts'
import { ACCEPTED, HANDSHAKE, MASK, closeAtEnd, closeFrame, frame, textFrame } from './frames.ts'
import { startTarget, type Target, type TargetConnection } from './target.ts'
import { openWebSocket, startWebSocketTarget } from './web-sockets.ts'

const drain = (drainMs: number | 'infinity', generation = 1): RouteSketch => ({
  drains: [{ revision: 1, generation, drainMs }],
})

interface Pair {
  readonly client: RawClient
  readonly connection: TargetConnection
}

/** A WebSocket whose two ends are scripted, with both heads taken off. */
const openRaw = async (edge: Edge, target: Target, host = 'app.test'): Promise<Pair> => {
  const client = edge.client()
  const index = target.connections.length
  client.send(HANDSHAKE.replace('app.test', host))
  const connection = await target.connection(index)
  await connection.head()
  connection.send(ACCEPTED)
  await client.sees('\r\n\r\n')
  client.text = ''
  return { client, connection }
}

/** That one was asked, and so was everybody of its release who was there before it. */
const hasHeard = ({ client }: Pair): Promise<unknown> =>
  eventually('it was asked', () => closeAtEnd(client.text))

it('N6 E13 ends silence with 1001 on both sides', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url], limits: { upgradedIdleMs: 300 } })
  const client = await openWebSocket(edge)
  await eventually('the client heard it', () => client.closed)
  await eventually('the target heard it', () => target.sockets[0]?.closed)
  expect(client.closed).toEqual([1001, 'idle for too long'])
  expect(target.sockets[0]?.closed?.[0]).toBe(1001)
  expect(edge.plane.counters.upgradedEnds).toMatchObject({ idle: 1, cut: 0 })
})

it('E13 ends a message that is too large with 1009 on both sides, and delivers none of it', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url], limits: { webSocketMessageBytesMax: 1_000 } })
  const client = await openWebSocket(edge)
  client.socket.send('x'.repeat(1_000))
  await eventually('what fits came back', () => client.messages.length === 1)
  client.socket.send('x'.repeat(1_001))
  await eventually('both heard it', () => client.closed && target.sockets[0]?.closed)
  expect(client.closed).toEqual([1009, 'message too large'])
  expect(target.sockets[0]?.closed).toEqual([1009, 'message too large'])
  expect(target.sockets[0]?.messages).toHaveLength(1)
  expect(edge.plane.counters.upgradedEnds).toMatchObject({ 'too-large': 1 })
})

it('E7 tells a client with 1011 that its target is gone', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url] })
  const client = await openWebSocket(edge)
  const startedAt = performance.now()
  target.crash()
  await eventually('the client heard it', () => client.closed)
  expect(client.closed).toEqual([1011, 'the target has left'])
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  await using raw = await startTarget()
  edge.route({ revision: 2, targets: [raw.url] })
  const reset = await openRaw(edge, raw)
  reset.connection.reset()
  await eventually('the end came', () => reset.client.over)
  expect(closeAtEnd(reset.client.text)).toEqual([1011, 'the target has left'])
})

it('E7 cuts a client whose target leaves within a frame', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const { client, connection } = await openRaw(edge, target)
  connection.end(textFrame('whole') + textFrame('only half of it').slice(0, 8))
  await eventually('it was cut', () => client.closed)
  expect(client.error?.message).toContain('ECONNRESET')
  expect(client.text).not.toContain('\x88')
})

it('lets a target know that its client has left, with no Close that nobody sent', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url] })
  const client = await openWebSocket(edge)
  client.socket.terminate()
  await eventually('the target heard it', () => target.sockets[0]?.closed)
  expect(target.sockets[0]?.closed?.[0]).toBe(1006)
  await eventually('it is over', () => edge.plane.work().length === 0)
})

it('A9 asks a client to come back, with 1012, in the second half of a drain and before its deadline', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url] })
  const client = await openWebSocket(edge)
  const startedAt = performance.now()
  edge.route(drain(4_000))
  client.socket.send('it goes on')
  await eventually('it came back', () => client.messages.length === 1)
  await eventually('both heard it', () => client.closed && target.sockets[0]?.closed)
  const tookMs = performance.now() - startedAt
  expect(tookMs).toBeGreaterThan(2_000)
  expect(tookMs).toBeLessThan(4_000)
  expect(client.closed).toEqual([1012, 'service restart'])
  expect(target.sockets[0]?.closed?.[0]).toBe(1012)
  await eventually('the release is empty', () => edge.plane.work()[0]?.upgraded === 0)
  expect(edge.plane.work()).toMatchObject([{ cut: 0, draining: true }])
})

it('A9 spreads what it asks over its time, also when it stops', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url] })
  const clients = await Promise.all(Array.from({ length: 120 }, () => openWebSocket(edge)))
  const ends: number[] = []
  const startedAt = performance.now()
  for (const { socket } of clients) {
    socket.on('close', (code) => {
      expect(code).toBe(1012)
      ends.push(performance.now() - startedAt)
    })
  }
  const graceMs = 6_000
  expect(await edge.plane.finish(graceMs)).toEqual({ cut: 0 })
  await eventually('all have heard it', () => ends.length === clients.length)
  expect(Math.min(...ends)).toBeGreaterThan(graceMs / 2)
  expect(Math.max(...ends)).toBeLessThan(graceMs)
  // Seven slots with seventeen in each; a slow machine may run some of them together.
  for (const end of ends) {
    expect(ends.filter((other) => Math.abs(other - end) < 20).length).toBeLessThan(80)
  }
})

it('A9 puts a Close between two frames only, and drops what the target says after it', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const { client, connection } = await openRaw(edge, target)
  const long = textFrame('x'.repeat(1_000))
  connection.send(long.slice(0, 500))
  await eventually('half of it came', () => client.text.length === 500)
  const witness = await openRaw(edge, target)
  edge.route(drain(4_000))
  await hasHeard(witness)
  witness.client.socket.destroy()
  expect(client.text).toBe(long.slice(0, 500))
  connection.send(long.slice(500) + textFrame('too late'))
  await eventually('the Close came', () => closeAtEnd(client.text))
  expect(client.text.slice(0, -19)).toBe(long)
  expect(closeAtEnd(client.text)).toEqual([1012, 'service restart'])
  // What the client had sent before it knew still goes its way, and then its answer.
  connection.send(textFrame('nor this'))
  const last = textFrame('my last', MASK) + closeFrame(1012, '', MASK)
  client.send(last)
  expect(await connection.read(last.length)).toBe(last)
  connection.end(closeFrame(1012))
  await eventually('the end came', () => client.ended)
  expect(client.text).toMatch(/service restart$/)
  // The client's end comes with its own answer; it is over with the target's.
  await eventually('it is over', () => edge.plane.work().every(({ upgraded }) => upgraded === 0))
  expect(edge.plane.work()).toMatchObject([{ cut: 0 }])
})

it('A9 waits for the answer of a client no longer than it may, and then tells the target itself', async () => {
  await using edge = await startEdge({ limits: { webSocketCloseMs: 200 } })
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const { client, connection } = await openRaw(edge, target)
  edge.route(drain(3_000))
  await eventually('the Close came', () => closeAtEnd(client.text))
  await eventually('the target was told', () => connection.ended)
  expect(closeAtEnd(connection.unread)).toEqual([1012, 'service restart'])
  expect(connection.unread.charCodeAt(1) & 0x80).toBe(0x80)
  expect(edge.plane.work()).toMatchObject([{ cut: 0, upgraded: 0 }])
})

it('A9 cuts at the deadline what has not ended, and still says why where it can', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const between = await openRaw(edge, target)
  const within = await openRaw(edge, target)
  within.connection.send(textFrame('x'.repeat(100)).slice(0, 50))
  await eventually('half of it came', () => within.client.text.length === 50)
  edge.route(drain(0))
  await eventually('both are over', () => between.client.over && within.client.closed)
  expect(closeAtEnd(between.client.text)).toEqual([1012, 'service restart'])
  await eventually('the target was told', () => between.connection.ended)
  expect(closeAtEnd(between.connection.unread)).toEqual([1012, 'service restart'])
  expect(within.client.error?.message).toContain('ECONNRESET')
  expect(edge.plane.work()).toMatchObject([{ cut: 2, upgraded: 0 }])
})

it('A9 leaves a WebSocket alone that its ends are closing already', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const { client, connection } = await openRaw(edge, target)
  const goodbye = closeFrame(1000, 'done', MASK)
  client.send(goodbye)
  await connection.read(goodbye.length)
  const witness = await openRaw(edge, target)
  edge.route(drain(2_000))
  await hasHeard(witness)
  witness.client.socket.destroy()
  expect(client.text).toBe('')
  connection.end(closeFrame(1000))
  await eventually('the end came', () => client.ended)
  expect(client.text).toBe(closeFrame(1000))
  client.socket.end()
  await eventually('it is over', () => edge.plane.work()[0]?.upgraded === 0)
  expect(edge.plane.work()).toMatchObject([{ cut: 0 }])
})

it('A11 A14 asks nobody when a drain has no end, or is taken back', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  await using other = await startTarget()
  const elsewhere = { service: 'other', hosts: ['other.test'] }
  edge.route({ targets: [target.url] })
  edge.route({ ...elsewhere, targets: [other.url] })
  const client = await openWebSocket(edge)
  const witness = await openRaw(edge, other, 'other.test')
  edge.route(drain(600))
  edge.route({ ...elsewhere, ...drain(600) })
  edge.route({ targets: [target.url] })
  await hasHeard(witness)
  await eventually('a drain that began later is over', () => witness.client.over)
  edge.route(drain('infinity', 2))
  client.socket.send('still here')
  await eventually('it came back', () => client.messages.length === 1)
  client.socket.close(4001)
  await eventually('it is over', () => edge.plane.work().every(({ upgraded }) => upgraded === 0))
  expect(target.sockets[0]?.closed?.[0]).toBe(4001)
})

it('E13 A9 fragments of a message are frames: a Close may come between them', async () => {
  await using edge = await startEdge({ limits: { webSocketCloseMs: 200 } })
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const { client, connection } = await openRaw(edge, target)
  const first = frame(0x01, 'a first fragment')
  connection.send(first)
  await eventually('it came', () => client.text === first)
  edge.route(drain(1_000))
  await eventually('the Close came', () => closeAtEnd(client.text))
  expect(client.text.startsWith(`${first}\x88`)).toBe(true)
})
