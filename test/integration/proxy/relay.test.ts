import { expect, it } from 'vitest'
import { bodyOf, get, getAndClose, startEdge, statusOf } from './edge.ts'
import { always, ok, startTarget } from './target.ts'

it('D2 gives the first bytes of a response on before the target has sent the last', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(get())
  await client.sees('3\r\none\r\n')
  const connection = await target.connection(0)
  connection.send('3\r\ntwo\r\n')
  await client.sees('two')
  connection.send('5\r\nthree\r\n0\r\n\r\n')
  expect(bodyOf(await client.sees('0\r\n\r\n'))).toBe(
    '3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n',
  )
})

it('D4 changes no byte of a body, in either direction', async () => {
  const body = '{ "odd" :\t1,\n\n "spacing": "\u00e4" }' + String.fromCharCode(...Array(256).keys())
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(ok(await connection.read(body.length)))
  })
  edge.route({ targets: [target.url] })
  const request = `POST / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`
  expect(bodyOf(await edge.ask(request + body))).toBe(body)
})

it('D4 gives a chunked request on whatever pieces it arrives in', async () => {
  const body = '4\r\nWiki\r\n7\r\npedia i\r\nB\r\nn \r\nchunks.\r\n0\r\n\r\n'
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(ok(await connection.readUntil('0\r\n\r\n')))
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  const head = 'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n'
  for (const character of head + body) {
    client.send(character)
    await new Promise(setImmediate)
  }
  expect(bodyOf(await client.sees('chunks.\r\n0\r\n\r\n'))).toBe(body)
})

it('D5 takes hop-by-hop fields out both ways, those named in Connection among them', async () => {
  await using edge = await startEdge()
  const heads: string[] = []
  await using target = await startTarget(
    always((head) => {
      heads.push(head)
      return ok('x', 'Connection: x-private', 'X-Private: 1', 'Keep-Alive: timeout=5', 'X-Kept: 1')
    }),
  )
  edge.route({ targets: [target.url] })
  const answer = await edge.ask(
    get(
      '/',
      'Connection: close, x-secret',
      'X-Secret: 1',
      'Keep-Alive: 1',
      'Proxy-Connection: x',
      'X-Kept: 1',
    ),
  )
  expect(heads[0]).toMatch(/^X-Kept: 1\r$/m)
  expect(heads[0]).not.toMatch(/^(connection|x-secret|keep-alive|proxy-connection):/im)
  expect(answer).toMatch(/^X-Kept: 1\r$/m)
  expect(answer).not.toMatch(/^(x-private|keep-alive):/im)
  expect(answer.match(/^connection: .*$/gim)).toEqual(['Connection: close'])
})

it('D6 D7 preserves the Host, and says who asked for what, believing nobody', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always((head) => ok(head)))
  edge.route({ targets: [target.url] })
  const answer = await edge.ask(getAndClose('/', 'X-Forwarded-For: 6.6.6.6', 'X-Real-IP: 6.6.6.6'))
  expect(answer).toMatch(/^Host: app\.test\r$/m)
  expect(answer).toMatch(/^X-Forwarded-For: 127\.0\.0\.1\r$/m)
  expect(answer).toMatch(/^X-Forwarded-Proto: http\r$/m)
  expect(answer).toMatch(/^X-Forwarded-Host: app\.test\r$/m)
  expect(answer).not.toContain('6.6.6.6')
})

it('D7 extends what a trusted proxy says about the client', async () => {
  await using edge = await startEdge({ trustedPeers: ['127.0.0.0/8'] })
  await using target = await startTarget(always((head) => ok(head)))
  edge.route({ targets: [target.url] })
  const answer = await edge.ask(
    getAndClose('/', 'X-Forwarded-For: 9.9.9.9', 'X-Forwarded-Proto: https', 'X-Request-ID: abc'),
  )
  expect(answer).toMatch(/^X-Forwarded-For: 9\.9\.9\.9, 127\.0\.0\.1\r$/m)
  expect(answer).toMatch(/^X-Forwarded-Proto: https\r$/m)
  expect(answer).toMatch(/^X-Request-ID: abc\r$/m)
})

it('D8 keeps repeated header fields apart', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(
    always(ok('', 'Set-Cookie: a=1', 'Set-Cookie: b=2', 'Set-Cookie: c=3')),
  )
  edge.route({ targets: [target.url] })
  const answer = await edge.ask(getAndClose())
  expect(answer.match(/^Set-Cookie: .=\d\r$/gm)).toHaveLength(3)
})

it('D17 frames answers to HEAD, 204 and 304 without a body, and keeps the connection', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(
    always((head) => {
      if (head.startsWith('HEAD')) return 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n'
      if (head.startsWith('GET /204')) return 'HTTP/1.1 204 No Content\r\n\r\n'
      if (head.startsWith('GET /304'))
        return 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n'
      return ok('last')
    }),
  )
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(get('/').replace('GET', 'HEAD') + get('/204') + get('/304') + get('/'))
  const text = await client.sees('last')
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(
    ['200', '204', '304', '200'].map((s) => `HTTP/1.1 ${s}`),
  )
  expect(text).toContain('Content-Length: 1234\r\n')
  expect(target.connections).toHaveLength(1)
})

it('D17 passes 100 Continue on, and then the body', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send('HTTP/1.1 100 Continue\r\n\r\n')
    connection.send(ok(await connection.read(4)))
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(
    'PUT / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
  )
  await client.sees('HTTP/1.1 100 Continue\r\n\r\n')
  client.send('body')
  expect(await client.sees('body')).toContain('HTTP/1.1 200 OK')
})

it('D17 passes an early final answer to an expectation on, and closes', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always('HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n'))
  edge.route({ targets: [target.url] })
  const answer = await edge.ask(
    'PUT / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
  )
  expect(statusOf(answer)).toBe(401)
  expect(answer).toContain('Connection: close\r\n')
})

it('D23 passes early hints on to HTTP/1.1 and not to HTTP/1.0', async () => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'
  await using edge = await startEdge()
  await using target = await startTarget(always(hints + ok('x')))
  edge.route({ targets: [target.url] })
  expect(await edge.ask(getAndClose())).toMatch(
    /^HTTP\/1\.1 103 .*\r\nLink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200/,
  )
  expect(await edge.ask('GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200/)
})
