import { expect, it } from 'vitest'
import { bodyOf, get, getAndClose, startEdge, statusOf } from './edge.ts'
import { eventually } from '../../support/eventually.ts'
import { always, ok, startTarget } from './target.ts'

it('ends an answer that its target ends by closing in the same way', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.end('HTTP/1.1 200 OK\r\n\r\nas long as it takes')
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(get())
  await eventually('the end came', () => client.over)
  expect(client.error).toBeUndefined()
  expect(client.text).toContain('Connection: close\r\n\r\nas long as it takes')
})

it('never ends a truncated answer cleanly', async () => {
  const heads = [
    'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\npart',
    'HTTP/1.1 200 OK\r\n\r\npart',
  ]
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(heads[target.connections.length - 1] ?? '')
  })
  edge.route({ targets: [target.url] })
  for (const index of heads.keys()) {
    const client = edge.client()
    client.send(get())
    await client.sees('part')
    const connection = await target.connection(index)
    connection.reset()
    await eventually('the end came', () => client.closed)
    expect(client.error?.message).toContain('ECONNRESET')
  }
  expect(edge.plane.counters.truncated).toBe(heads.length)
})

it('gives a client of HTTP/1.0 the content of a chunked answer without its chunks', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(
    always(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n',
    ),
  )
  edge.route({ targets: [target.url] })
  const answer = await edge.ask('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  expect(bodyOf(answer)).toBe('onetwo')
  expect(answer).not.toContain('chunked')
})

it('keeps the connection of a client of HTTP/1.0 that asks for it', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  expect(await client.sees('\r\n\r\nx')).toContain('Connection: keep-alive\r\n')
  client.send('GET / HTTP/1.0\r\n\r\n')
  await eventually('the end came', () => client.over)
  expect(client.text.match(/200 OK/g)).toHaveLength(2)
})

it('answers a client that sends FIN right after its request', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.socket.end(get('/1') + get('/2'))
  const connection = await target.connection(0)
  await connection.head()
  connection.send(ok('first'))
  await connection.head()
  connection.send(ok('second'))
  await eventually('the end came', () => client.over)
  expect(client.text).toMatch(/first[^]*Connection: close[^]*second$/)
})

it('answers 400 to a client that sends FIN within its body', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nhalf')
  const connection = await target.connection(0)
  await connection.readUntil('half')
  client.socket.end()
  await eventually('the end came', () => client.over)
  expect(statusOf(client.text)).toBe(400)
  await eventually('the end of the request', () => connection.left)
})

it('answers 400 to a client that sends FIN within its body before its target is connected', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url], limits: { idleMs: 60_000 } })
  const client = edge.client()
  client.socket.end('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nhalf')
  await eventually('the end came', () => client.over)
  expect(statusOf(client.text)).toBe(400)
})

it('answers pipelined requests in their order, one at a time', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send([1, 2, 3].map((n) => get(`/${n}`)).join(''))
  const connection = await target.connection(0)
  for (const n of [1, 2, 3]) {
    expect(await connection.head()).toMatch(new RegExp(`^GET /${n} `))
    expect(connection.unread).toBe('')
    connection.send(ok(`answer ${n}`))
  }
  expect((await client.sees('answer 3')).match(/answer \d/g)).toEqual([
    'answer 1',
    'answer 2',
    'answer 3',
  ])
})

it('answers a thousand pipelined requests for nobody without a target and in order', async () => {
  await using edge = await startEdge()
  const client = edge.client()
  client.send(get().repeat(1_000) + getAndClose())
  await eventually('the end came', () => client.over)
  expect(client.text.match(/HTTP\/1\.1 404/g)).toHaveLength(1_001)
})

it('closes at once behind a client that has said close, and lingers for one that has not', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('bye')))
  await using closing = await startTarget(async (connection) => {
    await connection.head()
    connection.end('HTTP/1.1 200 OK\r\n\r\nto the end')
  })
  edge.route({ targets: [target.url] })
  edge.route({ service: 'old', hosts: ['old.test'], targets: [closing.url] })
  const lingering = edge.client()
  lingering.send('GET / HTTP/1.1\r\nHost: old.test\r\n\r\n')
  await lingering.sees('to the end')
  const said = edge.client()
  said.send('GET / HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\n\r\n')
  await said.sees('bye')
  // Neither has ended its own side.
  await eventually('one is gone', () => edge.plane.counters.clients.open === 1, 1_000)
  expect([said.over, said.text.endsWith('bye')]).toEqual([true, true])
  lingering.socket.destroy()
})

it('delivers an early answer to an unfinished upload, and then closes both sides', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n\r\nsome')
  await eventually('the end came', () => client.over)
  expect(statusOf(client.text)).toBe(403)
  expect(client.text).toMatch(/Connection: close\r\n\r\nno$/)
  const connection = await target.connection(0)
  await eventually('the end at the target', () => connection.left)
})

it('lets request and response flow at the same time', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n')
  const connection = await target.connection(0)
  await connection.head()
  connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (const n of [1, 2, 3]) {
    client.send(`1\r\n${n}\r\n`)
    await connection.readUntil(`${n}\r\n`)
    connection.send(`2\r\n<${n}\r\n`)
    await client.sees(`<${n}`)
  }
  client.send('0\r\n\r\n')
  await connection.readUntil('0\r\n\r\n')
  connection.send('0\r\n\r\n')
  const answer = await client.sees('\r\n0\r\n\r\n')
  expect(bodyOf(answer)).toBe('2\r\n<1\r\n2\r\n<2\r\n2\r\n<3\r\n0\r\n\r\n')
})

it('takes an answer that begins before the request has been sent whole', async () => {
  await using edge = await startEdge()
  await using target = await startTarget((connection) => {
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhasty')
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\n')
  await eventually('the end came', () => client.over)
  expect(client.text).toMatch(/^HTTP\/1\.1 200 OK[^]*hasty$/)
})

it('delivers an answer with surplus bytes, and never uses that connection again', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('fine') + 'HTTP/1.1 200 OK\r\n\r\nsmuggled'))
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(get())
  await client.sees('fine')
  client.send(getAndClose())
  await eventually('the end came', () => client.over)
  expect(client.text).not.toContain('smuggled')
  expect(target.connections).toHaveLength(2)
})

it.each([
  ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx'],
  ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 1\n\nx'],
  ['no HTTP', '\x16\x03\x01 hello\r\n\r\n'],
  ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  [
    'a switch that nobody asked for',
    'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  ],
  ['interim responses without end', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)],
  ['a malformed chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
])('answers 502 for a target that sends %s', async (_, bytes) => {
  await using edge = await startEdge()
  await using target = await startTarget(always(bytes))
  edge.route({ targets: [target.url] })
  const answer = await edge.ask(getAndClose())
  expect(answer).toMatch(/(^|\r\n\r\n)HTTP\/1\.1 502 /)
  expect(edge.plane.counters.failures['bad-answer']).toBe(1)
})
