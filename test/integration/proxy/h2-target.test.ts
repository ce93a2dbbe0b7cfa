import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { bodyOf, get, getAndClose, startEdge, statusOf } from './edge.ts'
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  STATUS_200,
  code,
  startFrameTarget,
  startHttp2Target,
  type StreamHandler,
} from './h2-target.ts'
import { startTarget } from './target.ts'

/** RFC 9113 §7. */
const NO_ERROR = 0
const INTERNAL_ERROR = 2
const REFUSED_STREAM = 7
const CANCEL = 8

/** Answers with the fields that it got, one a line, and with the body behind them. */
const echo: StreamHandler = (stream, _headers, fields) => {
  const lines: string[] = []
  for (let at = 0; at < fields.length; at += 2) lines.push(`${fields[at]}: ${fields[at + 1]}`)
  let body = ''
  stream.on('data', (chunk) => (body += chunk))
  stream.on('end', () => {
    stream.respond({ ':status': 200 })
    stream.end(`${lines.join('\n')}\n\n${body}`)
  })
}

it('N15 speaks HTTP/2 to an h2c target, and says nothing in it that HTTP/2 has no place for', async () => {
  await using edge = await startEdge()
  await using target = await startHttp2Target(echo)
  edge.route({ targets: [`${target.url}/base`] })
  const answer = await edge.ask(
    getAndClose('/a?b=c', 'TE: trailers', 'Connection: TE, X-Hop', 'X-Hop: 1', 'X-Kept:  \xfc '),
  )
  expect(statusOf(answer)).toBe(200)
  const said = bodyOf(answer).split('\n')
  expect(said.slice(1, 5)).toEqual([
    ':method: GET',
    ':scheme: http',
    ':path: /base/a?b=c',
    ':authority: app.test',
  ])
  expect(said).toContain('x-kept: \xc3\xbc')
  expect(said).toContain('te: trailers')
  expect(said).toContain('x-forwarded-for: 127.0.0.1')
  for (const name of [
    'host',
    'connection',
    'x-hop',
    'keep-alive',
    'transfer-encoding',
    'upgrade',
  ]) {
    expect(said.filter((line) => line.startsWith(`${name}:`))).toEqual([])
  }
})

it.each([
  ['Content-Length: 5\r\n\r\nhello', 'content-length: 5'],
  [
    'Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Dropped: 1\r\n\r\n',
    'x-request-id: ',
  ],
])('N15 sends the content of a body, whatever frames it: %j', async (message, line) => {
  await using edge = await startEdge()
  await using target = await startHttp2Target(echo)
  edge.route({ targets: [target.url] })
  const answer = await edge.ask(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${message}`)
  expect(answer).toContain(line)
  expect(answer).toContain('\n\nhello')
  expect(answer).not.toContain('x-dropped')
})

it('N15 frames an answer as its target does: by its length, or in chunks, or not at all', async () => {
  await using edge = await startEdge()
  await using target = await startHttp2Target((stream, { ':path': path }) => {
    if (path === '/length') {
      stream.respond({ ':status': 200, 'content-length': 5 })
      stream.end('hello')
    } else if (path === '/chunks') {
      stream.respond({ ':status': 200 })
      stream.end('hello')
    } else if (path === '/empty') stream.respond({ ':status': 200 }, { endStream: true })
    else if (path === '/zero') {
      stream.respond({ ':status': 200, 'content-length': 0 })
      stream.end()
    } else stream.respond({ ':status': Number(path?.slice(1)) }, { endStream: true })
  })
  edge.route({ targets: [target.url] })
  expect(await edge.ask(getAndClose('/length'))).toMatch(
    /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 5\r\n[^]*\r\n\r\nhello$/i,
  )
  const chunks = await edge.ask(getAndClose('/chunks'))
  expect(chunks).toContain('Transfer-Encoding: chunked\r\n')
  expect(bodyOf(chunks)).toBe('5\r\nhello\r\n0\r\n\r\n')
  for (const path of ['/empty', '/zero']) {
    const answer = await edge.ask(getAndClose(path))
    expect(answer).toContain('Content-Length: 0\r\n')
    expect(bodyOf(answer)).toBe('')
  }
  for (const path of ['/204', '/304']) {
    const answer = await edge.ask(getAndClose(path))
    expect(statusOf(answer)).toBe(Number(path.slice(1)))
    expect(answer).not.toMatch(/content-length|transfer-encoding/i)
  }
  const head = await edge.ask(getAndClose('/length').replace('GET', 'HEAD'))
  expect(head).toMatch(/content-length: 5\r\n/i)
  expect(bodyOf(head)).toBe('')
})

it('N14 passes early hints and, to a client that takes them, trailers of an h2c target', async () => {
  await using edge = await startEdge()
  await using target = await startHttp2Target((stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</style.css>' })
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '5', 'set-cookie': 'a=1' }))
    stream.end('hello')
  })
  edge.route({ targets: [target.url] })
  const answer = await edge.ask(getAndClose('/', 'TE: trailers', 'Connection: TE'))
  expect(answer).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nlink: <\/style\.css>\r\n/)
  expect(answer).toMatch(/5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n$/)
  expect(await edge.ask(getAndClose())).toMatch(/5\r\nhello\r\n0\r\n\r\n$/)
})

it('N14 has an h2c target decide whether a body may come', async () => {
  await using edge = await startEdge()
  await using target = await startHttp2Target((stream, ...about) => {
    stream.additionalHeaders({ ':status': 100 })
    echo(stream, ...about)
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n')
  await client.sees('HTTP/1.1 100 Continue\r\n')
  client.send('hi')
  expect(await client.sees('\n\nhi')).toContain('HTTP/1.1 200 OK')
})

it('D13 has requests share one connection, and opens more only where a target allows too few streams', async () => {
  await using edge = await startEdge()
  const settings = { maxConcurrentStreams: 2 }
  await using target = await startHttp2Target(() => {}, { settings })
  edge.route({ targets: [target.url] })
  const clients = [1, 2, 3, 4, 5].map(() => edge.client())
  await eventually('all clients', () => edge.plane.counters.clients.open === 5)
  // Before any of them can know how many streams there may be.
  for (const [number, client] of clients.entries()) client.send(get(`/${number}`))
  await eventually('all streams', () => target.streams.length === 5)
  expect(target.sessions).toHaveLength(3)
  expect(edge.plane.counters.upstreams).toMatchObject({ open: 3, opened: 3 })
  for (const stream of target.streams) stream.respond({ ':status': 200 }, { endStream: true })
  for (const client of clients) await client.sees('200 OK')
  clients[0]?.send(get('/again'))
  await eventually('another stream', () => target.streams.length === 6)
  expect(target.sessions).toHaveLength(3)
})

it('D13 bounds the requests that are under way to an h2c target, and closes what nobody needs', async () => {
  await using edge = await startEdge({ limits: { targetIdleMs: 100 } })
  await using target = await startHttp2Target(() => {})
  edge.route({ targets: [target.url], limits: { connectionsMax: 1, queueMax: 1 } })
  const [first, second] = [edge.client(), edge.client()]
  first.send(get('/1'))
  await eventually('the first', () => target.streams.length === 1)
  second.send(get('/2'))
  await eventually('the claim', () => edge.plane.work()[0]?.requests === 2)
  expect(statusOf(await edge.ask(getAndClose('/3')))).toBe(503)
  target.streams[0]?.respond({ ':status': 200 }, { endStream: true })
  await first.sees('200 OK')
  await eventually('the second', () => target.streams.length === 2)
  target.streams[1]?.respond({ ':status': 200 }, { endStream: true })
  await second.sees('200 OK')
  await eventually('the end', () => edge.plane.counters.upstreams.open === 0)
  expect(target.sessions).toHaveLength(1)
})

it('D12 cancels the stream of a client that has left, and half a request is never taken for a whole one', async () => {
  await using edge = await startEdge()
  await using target = await startFrameTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
  const connection = await target.connection(0)
  expect((await connection.sees(FRAME.data)).payload.toString()).toBe('hello')
  client.socket.resetAndDestroy()
  expect((await connection.sees(FRAME.resetStream)).payload).toEqual(code(CANCEL))
  expect(
    connection.frames.filter(({ type, flags }) => type <= 1 && (flags & END_STREAM) > 0),
  ).toEqual([])
  expect(connection.closed).toBe(false)
})

it.each([
  ['with an error', INTERNAL_ERROR],
  ['with no error', NO_ERROR],
])('D10 breaks an answer off where its target does, %s', async (_how, reason) => {
  await using edge = await startEdge()
  await using target = await startFrameTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(get())
  const connection = await target.connection(0)
  const { stream } = await connection.sees(FRAME.headers)
  connection.send(FRAME.headers, END_HEADERS, stream, STATUS_200)
  connection.send(FRAME.data, 0, stream, Buffer.from('half'))
  await client.sees('half')
  connection.send(FRAME.resetStream, 0, stream, code(reason))
  await eventually('the end', () => client.closed)
  expect(client.text).not.toContain('\r\n0\r\n')
  expect(edge.plane.counters.truncated).toBe(1)
})

it('D9 answers 502 for a stream that its target resets, and keeps the connection for others', async () => {
  await using edge = await startEdge()
  await using target = await startFrameTarget()
  edge.route({ targets: [target.url] })
  const asking = edge.ask(
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
  )
  const connection = await target.connection(0)
  const { stream } = await connection.sees(FRAME.headers)
  connection.send(FRAME.resetStream, 0, stream, code(REFUSED_STREAM))
  expect(await asking).toMatch(/^HTTP\/1\.1 502 [^]*error=connection_terminated/)
  const client = edge.client()
  client.send(get())
  const next = await connection.sees(FRAME.headers, (each) => each.stream > stream)
  connection.send(FRAME.headers, END_HEADERS | END_STREAM, next.stream, STATUS_200)
  await client.sees('200 OK')
  expect(target.connections).toHaveLength(1)
})

it('D9 repeats a request that an h2c target has not looked at, once and where it may', async () => {
  await using edge = await startEdge()
  await using target = await startFrameTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(get('/1'))
  const connection = await target.connection(0)
  await connection.sees(FRAME.headers)
  connection.send(FRAME.headers, END_HEADERS | END_STREAM, 1, STATUS_200)
  await client.sees('200 OK')
  client.send(get('/2'))
  await connection.sees(FRAME.headers, ({ stream }) => stream === 3)
  connection.send(FRAME.resetStream, 0, 3, code(REFUSED_STREAM))
  await connection.sees(FRAME.headers, ({ stream }) => stream === 5)
  connection.send(FRAME.headers, END_HEADERS | END_STREAM, 5, STATUS_200)
  await eventually('both', () => client.text.match(/200 OK/g)?.length === 2)
  expect(edge.plane.counters.retried).toBe(1)
})

it('D9 moves on to another connection when its target says goodbye, and ends nothing early', async () => {
  await using edge = await startEdge()
  await using target = await startHttp2Target((stream, { ':path': path }) => {
    if (path === '/quick') stream.respond({ ':status': 200 }, { endStream: true })
  })
  edge.route({ targets: [target.url] })
  const [slow, quick] = [edge.client(), edge.client()]
  quick.send(get('/quick'))
  await quick.sees('200 OK')
  slow.send(get('/slow'))
  await eventually('the slow one', () => target.streams.length === 2)
  target.sessions[0]?.goaway(NO_ERROR)
  await eventually('it is understood', async () => {
    quick.send(get('/quick'))
    const before = target.streams.length
    await eventually('another', () => target.streams.length > before)
    return target.sessions.length === 2
  })
  target.streams[1]?.respond({ ':status': 200 })
  target.streams[1]?.end('in time')
  await slow.sees('in time')
  await eventually('the first is closed', () => edge.plane.counters.upstreams.open === 1)
  expect(edge.plane.counters.failures['target-reset']).toBe(0)
  expect(target.sessions).toHaveLength(2)
})

it('D9 finds out that an h2c target has gone without a word, and goes to it anew', async () => {
  await using edge = await startEdge({ limits: { targetSilentMs: 0 } })
  await using target = await startFrameTarget()
  edge.route({ targets: [target.url], limits: { responseMs: 200 } })
  const client = edge.client()
  client.send(get('/held'))
  const connection = await target.connection(0)
  await connection.sees(FRAME.headers)
  expect(statusOf(await edge.ask(getAndClose('/lost')))).toBe(504)
  await connection.sees(FRAME.ping)
  const next = edge.client()
  next.send(get('/next'))
  const { stream } = await (await target.connection(1)).sees(FRAME.headers)
  target.connections[1]?.send(FRAME.headers, END_HEADERS | END_STREAM, stream, STATUS_200)
  await next.sees('200 OK')
  await eventually('it was given up', () => connection.closed)
})

it('D9 answers 502 for a target that does not speak HTTP/2, and says so', async () => {
  await using edge = await startEdge()
  await using old = await startTarget((connection) => {
    connection.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
  })
  edge.route({ targets: [`h2c://127.0.0.1:${old.port}`] })
  const answer = await edge.ask(getAndClose())
  expect(answer).toMatch(/^HTTP\/1\.1 502 [^]*error=http_protocol_error/)
  expect(bodyOf(answer)).toContain('the target does not speak HTTP/2')
  await old.stop()
  expect(await edge.ask(getAndClose())).toMatch(/^HTTP\/1\.1 502 [^]*error=connection_refused/)
})

it('D9 gives up on a target that accepts and says nothing, and on every request after', async () => {
  await using edge = await startEdge()
  await using mute = await startTarget()
  edge.route({ targets: [`h2c://127.0.0.1:${mute.port}`], limits: { connectMs: 100 } })
  for (const path of ['/1', '/2']) {
    expect(await edge.ask(getAndClose(path))).toMatch(
      /^HTTP\/1\.1 504 [^]*error=connection_timeout/,
    )
  }
  expect(mute.connections).toHaveLength(2)
})

it('D20 speaks HTTP/2 over a Unix socket', async () => {
  await using edge = await startEdge()
  const path = join(tmpdir(), `gatehouse-h2c-${process.pid}-${Date.now()}.sock`)
  await using target = await startHttp2Target(echo, {}, { path })
  edge.route({ targets: [target.url] })
  expect(bodyOf(await edge.ask(getAndClose()))).toContain(':authority: app.test')
})

it('E1 refuses to open a WebSocket to an h2c target, with a sentence', async () => {
  await using edge = await startEdge()
  await using target = await startHttp2Target(echo)
  edge.route({ targets: [target.url] })
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
  const client = edge.client()
  client.send(get('/', 'Connection: Upgrade', 'Upgrade: websocket', key))
  const answer = await client.sees('HTTP/1.1 501')
  expect(answer).toContain('WebSockets are not opened over HTTP/2')
  expect(target.streams).toHaveLength(0)
})
