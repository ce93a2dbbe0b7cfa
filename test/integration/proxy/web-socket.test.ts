/** WebSockets through the edge as their two ends see them: as if nobody were in between. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { get, startEdge, statusOf } from './edge.ts'
import { ACCEPTED, HANDSHAKE, MASK, textFrame } from './frames.ts'
import { always, startTarget } from './target.ts'
import { openWebSocket, refusalOf, startWebSocket, startWebSocketTarget } from './web-sockets.ts'

/** Nobody takes any more of what it has to send. */
const isStuck = async (sender: Socket): Promise<void> => {
  let left = -1
  let looks = 0
  await eventually('nobody reads on', () => {
    looks = sender.writableLength === left ? looks + 1 : 0
    left = sender.writableLength
    return looks === 10
  })
}

it('E1 relays text and binary messages of every size, in their order', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url] })
  const { socket } = await openWebSocket(edge)
  const heard: { data: Buffer; binary: boolean }[] = []
  socket.on('message', (data: Buffer, binary) => heard.push({ data, binary }))
  const sizes = [0, 1, 125, 126, 65_535, 65_536, 1_048_576, 3]
  for (const [index, size] of sizes.entries()) {
    socket.send(Buffer.alloc(size, 97 + index), { binary: index % 2 === 0 })
  }
  await eventually('all came back', () => heard.length === sizes.length)
  for (const [index, size] of sizes.entries()) {
    expect(heard[index]?.binary).toBe(index % 2 === 0)
    expect(heard[index]?.data.equals(Buffer.alloc(size, 97 + index))).toBe(true)
  }
  socket.terminate()
})

it('E2 lets the target choose the subprotocol, and the client see it', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget(undefined, {
    handleProtocols: (offered) => [...offered][1] ?? false,
  })
  edge.route({ targets: [target.url] })
  const { socket } = await openWebSocket(edge, { protocols: ['chat.v1', 'chat.v2'] })
  expect(socket.protocol).toBe('chat.v2')
  expect(target.sockets[0]?.socket.protocol).toBe('chat.v2')
  socket.terminate()
})

it('E3 E4 E5 answers with the refusal of the target, or with its own, instead of a 101', async () => {
  await using edge = await startEdge()
  await using refusing = await startWebSocketTarget(undefined, {
    verifyClient: (_info, answer) => answer(false, 403, 'not you'),
  })
  edge.route({ targets: [refusing.url] })
  expect(await refusalOf(edge)).toBe(403)
  await using plain = await startTarget(always('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'))
  edge.route({ revision: 2, targets: [plain.url] })
  expect(await refusalOf(edge)).toBe(200)
  await plain.stop()
  expect(await refusalOf(edge)).toBe(502)
  edge.route({ revision: 3, hosts: ['other.test'], targets: [plain.url] })
  expect(await refusalOf(edge)).toBe(404)
})

it('E3 refuses a handshake that no WebSocket begins with, and a 101 that does not answer it', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ACCEPTED))
  edge.route({ targets: [target.url] })
  const good = edge.client()
  good.send(HANDSHAKE)
  expect(statusOf(await good.sees('\r\n\r\n'))).toBe(101)
  for (const request of [
    HANDSHAKE.replace('GET', 'OPTIONS'),
    HANDSHAKE.replace(/Sec-WebSocket-Key.*\r\n/, ''),
    HANDSHAKE.replace('dGhl', 'dGh'),
    HANDSHAKE.replace(/(Sec-WebSocket-Key.*\r\n)/, '$1$1'),
  ]) {
    const answer = await edge.ask(request)
    expect(statusOf(answer)).toBe(400)
    expect(answer).toContain('a WebSocket is opened by a GET with one Sec-WebSocket-Key')
  }
  expect(target.connections).toHaveLength(1)
  const other = HANDSHAKE.replace('dGhl', 'eGhl')
  expect(statusOf(await edge.ask(other.replace('Upgrade\r', 'Upgrade, close\r')))).toBe(502)
  expect(edge.plane.counters.failures['bad-answer']).toBe(1)
})

it('E6 passes close codes and reasons on, from each side to the other', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url] })
  const first = await openWebSocket(edge)
  first.socket.close(4001, 'bye')
  await eventually('the target heard it', () => target.sockets[0]?.closed)
  expect(target.sockets[0]?.closed).toEqual([4001, 'bye'])
  const second = await openWebSocket(edge)
  target.sockets[1]?.socket.close(4002, 'leave')
  await eventually('the client heard it', () => second.closed)
  expect(second.closed).toEqual([4002, 'leave'])
  await eventually('both are over', () => edge.plane.work().length === 0)
  expect(edge.plane.counters.upgradedEnds).toMatchObject({ closed: 2, cut: 0, 'client-left': 0 })
})

it('E8 passes one ping and one pong, and answers none itself', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget(undefined, { autoPong: false })
  edge.route({ targets: [target.url] })
  const client = await openWebSocket(edge)
  const pinged: string[] = []
  await eventually('the target is there', () => target.sockets.length === 1)
  const [there] = target.sockets
  there?.socket.on('ping', (data) => pinged.push(data.toString()))
  client.socket.ping('one')
  await eventually('the ping came', () => pinged.length === 1)
  client.socket.send('after it')
  await eventually('the echo came', () => client.messages.length === 1)
  expect(client.pongs).toEqual([])
  there?.socket.pong('one')
  there?.socket.send('after that')
  await eventually('the message came', () => client.messages.length === 2)
  expect([pinged, client.pongs]).toEqual([['one'], ['one']])
  client.socket.terminate()
})

it('E9 keeps what a client sends before its target is ready, in order, and no more than fits', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  const early = Array.from({ length: 400 }, (_, n) =>
    textFrame(`${n}`.padStart(60_000, '.'), MASK),
  ).join('')
  client.send(HANDSHAKE + early)
  const connection = await target.connection(0)
  await connection.head()
  await isStuck(client.socket)
  expect(client.socket.writableLength).toBeGreaterThan(10_000_000)
  expect(connection.unread).toBe('')
  connection.send(ACCEPTED)
  expect((await connection.read(early.length)) === early).toBe(true)
})

it('E10 preserves cookies, origin, authorization and fields of its own', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget((socket, { headers }) =>
    socket.send(JSON.stringify(headers)),
  )
  edge.route({ targets: [target.url] })
  const headers = {
    cookie: 'a=1; b=2',
    origin: 'https://app.test',
    authorization: 'Bearer x',
    'x-custom': 'kept',
  }
  const client = startWebSocket(edge, { headers })
  await eventually('the fields came', () => client.messages.length === 1)
  expect(JSON.parse(client.messages[0] ?? '')).toMatchObject({ host: 'app.test', ...headers })
  client.socket.terminate()
})

it('E15 lets both ends agree on compression, and passes their frames as they are', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget(undefined, {
    perMessageDeflate: { threshold: 0 },
  })
  edge.route({ targets: [target.url] })
  const client = await openWebSocket(edge, { perMessageDeflate: { threshold: 0 } })
  expect(client.socket.extensions).toContain('permessage-deflate')
  const text = 'the same again and again '.repeat(10_000)
  client.socket.send(text)
  await eventually('it came back', () => client.messages.length === 1)
  expect(client.messages).toEqual([text])
  client.socket.terminate()
})

it('D20 opens WebSockets over a Unix socket', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-ws-'))
  try {
    await using edge = await startEdge()
    await using target = await startWebSocketTarget(undefined, {}, join(folder, 'app.sock'))
    edge.route({ targets: [target.url] })
    const client = await openWebSocket(edge)
    client.socket.send('through a file')
    await eventually('it came back', () => client.messages.length === 1)
    client.socket.close(4001, 'bye')
    await once(client.socket, 'close')
    expect(client.closed).toEqual([4001, 'bye'])
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('makes a target wait whose client reads nothing, and the other way round', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(HANDSHAKE)
  const connection = await target.connection(0)
  await connection.head()
  connection.send(ACCEPTED)
  await client.sees('\r\n\r\n')
  const chunk = Buffer.alloc(1_000_000, 'x')
  for (const [sender, receiver] of [
    [connection.socket, client.socket],
    [client.socket, connection.socket],
  ] as const) {
    receiver.pause()
    for (let n = 0; n < 40; n += 1) sender.write(chunk)
    await isStuck(sender)
    expect(sender.writableLength).toBeGreaterThan(10_000_000)
    receiver.resume()
    await eventually('all of it went', () => sender.writableLength === 0)
  }
})

it('takes no place from requests, however many WebSockets are open', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url], limits: { connectionsMax: 1, queueMax: 0 } })
  const clients = [await openWebSocket(edge), await openWebSocket(edge), await openWebSocket(edge)]
  expect(statusOf(await edge.ask(get('/', 'Connection: close')))).toBe(200)
  for (const { socket } of clients) socket.terminate()
  await eventually('all are over', () => edge.plane.work().length === 0)
  // Their ends give no place back that they did not have.
  await using slow = await startTarget()
  edge.route({ revision: 2, targets: [slow.url], limits: { connectionsMax: 1, queueMax: 0 } })
  const upgraded = edge.client()
  upgraded.send(HANDSHAKE)
  const connection = await slow.connection(0)
  connection.send(ACCEPTED)
  await upgraded.sees('\r\n\r\n')
  edge.client().send(get())
  await slow.connection(1)
  upgraded.socket.resetAndDestroy()
  await eventually('it is over', () => edge.plane.work()[0]?.upgraded === 0)
  expect(statusOf(await edge.ask(get('/', 'Connection: close')))).toBe(503)
})

it('E16 opens and closes 500 WebSockets again and again, and none is left', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url] })
  for (let round = 0; round < 2; round += 1) {
    const clients = await Promise.all(Array.from({ length: 500 }, () => openWebSocket(edge)))
    expect(edge.plane.work()).toMatchObject([{ upgraded: 500 }])
    for (const [index, { socket }] of clients.entries()) socket.send(`${index}`)
    await eventually('each heard its own', () =>
      clients.every(({ messages }, index) => messages[0] === `${index}`),
    )
    for (const [index, { socket }] of clients.entries()) {
      if (index % 3 === 0) socket.terminate()
      else socket.close(1000)
    }
    await eventually('all are over', () => edge.plane.work().length === 0)
  }
  expect(edge.plane.counters.upgradedEnds.cut).toBe(0)
  expect(statusOf(await edge.ask(get('/', 'Connection: close')))).toBe(200)
}, 20_000)
