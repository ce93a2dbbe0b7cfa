/** WebSockets on streams (RFC 8441), to targets that know of nothing but HTTP/1.1. */
import type { ClientHttp2Stream } from 'node:http2'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { startEdge } from './edge.ts'
import { MASK, closeAtEnd, closeFrame, textFrame } from './frames.ts'
import { startHttp2Client, type Http2Client, type OpenStream } from './http2-client.ts'
import { always, ok, startTarget } from './target.ts'
import { startWebSocketTarget } from './web-sockets.ts'

const openWebSocket = (client: Http2Client, path = '/'): OpenStream =>
  client.open({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': 'http',
    ':path': path,
    'sec-websocket-version': '13',
    origin: 'http://app.test',
  })

const say = (stream: ClientHttp2Stream, text: string): void => {
  stream.write(Buffer.from(textFrame(text, MASK), 'latin1'))
}

it('N16 opens a WebSocket on a stream, and passes messages both ways beside other requests', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  expect(client.session.remoteSettings.enableConnectProtocol).toBe(true)
  const one = openWebSocket(client, '/chat')
  const other = openWebSocket(client)
  await eventually('both are open', () => target.sockets.length === 2)
  say(one.stream, 'hello')
  say(other.stream, 'x'.repeat(200))
  await eventually('the echo is here', () => one.answer().body === textFrame('hello'))
  await eventually('so is the other', () => other.answer().body === textFrame('x'.repeat(200)))
  expect(one.answer().headers[':status']).toBe(200)
  expect(one.answer().headers).not.toHaveProperty('sec-websocket-accept')
  expect((await client.ask({})).body).toBe('no WebSocket')
  expect(edge.plane.work()[0]).toMatchObject({ upgraded: 2 })
  one.stream.end(Buffer.from(closeFrame(1000, '', MASK), 'latin1'))
  const { code, body } = await one.ended()
  expect([code, closeAtEnd(body.slice(textFrame('hello').length))]).toEqual([0, [1000, '']])
  await eventually('the target has heard', () => target.sockets[0]?.closed?.[0] === 1000)
  expect(target.sockets[1]?.closed).toBeUndefined()
  other.stream.close()
  await other.ended()
})

it('N16 passes on what a target answers that opens none', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(
    always(() => 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
  )
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const { status, body } = await openWebSocket(client).ended()
  expect([status, body]).toEqual([403, 'no'])
})

it('N16 takes a 101 for one only if it answers the key that we made up', async () => {
  await using edge = await startEdge()
  const heads: string[] = []
  await using target = await startTarget(
    always((head) => {
      heads.push(head)
      return 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n'
    }),
  )
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  expect((await openWebSocket(client, '/a?b').ended()).status).toBe(502)
  expect(heads[0]).toMatch(/^GET \/a\?b HTTP\/1\.1\r\nHost: app\.test\r\n/)
  expect(heads[0]).toMatch(/sec-websocket-key: [A-Za-z0-9+/]{22}==\r\n/)
  expect(heads[0]).toContain('Connection: Upgrade\r\nUpgrade: websocket\r\n')
})

it('N16 E8 resets the stream of a WebSocket whose client has left, and tells its target', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const opened = openWebSocket(client)
  await eventually('it is open', () => target.sockets.length === 1)
  opened.stream.close(8)
  await eventually('the target knows', () => target.sockets[0]?.closed !== undefined)
  expect(edge.plane.counters.upgradedEnds['client-left']).toBe(1)
})

it('N16 tells a client whose target has crashed, between two frames', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const opened = openWebSocket(client)
  await eventually('it is open', () => opened.answer().status === 200)
  target.crash()
  const { code, body } = await opened.ended()
  expect([code, closeAtEnd(body)?.[0]]).toEqual([0, 1011])
})

it('N16 asks a WebSocket of a drained release to come back, and leaves the others alone', async () => {
  await using edge = await startEdge()
  await using target = await startWebSocketTarget()
  await using other = await startTarget(always(ok('new')))
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const opened = openWebSocket(client)
  await eventually('it is open', () => opened.answer().status === 200)
  edge.route({
    targets: [other.url],
    revision: 2,
    drains: [{ revision: 1, generation: 1, drainMs: 300 }],
  })
  await eventually('it is asked', () => closeAtEnd(opened.answer().body)?.[0] === 1012)
  expect((await client.ask({})).body).toBe('new')
  opened.stream.end(Buffer.from(closeFrame(1012, '', MASK), 'latin1'))
  expect((await opened.ended()).code).toBe(0)
})
