import { createHash } from 'node:crypto'
import { matchHost } from '@gatehouse/domain'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { startEdge } from './edge.ts'
import { startHttp2Client } from './http2-client.ts'
import { always, ok, startTarget } from './target.ts'

it('D22 C9 routes by authority, and the target gets a Host and lower-case fields', async () => {
  await using edge = await startEdge()
  await using one = await startTarget(always((head) => ok(`one\n${head}`)))
  await using other = await startTarget(always(ok('other')))
  edge.route({ service: 'one', hosts: ['one.test'], targets: [one.url] })
  edge.route({ service: 'other', hosts: ['other.test'], targets: [other.url] })
  await using client = await startHttp2Client(edge.port)
  const answer = await client.ask({
    ':authority': 'ONE.test',
    ':path': '/a?b',
    'X-Mixed': 'Case',
    cookie: ['a=1', 'b=2'],
  })
  expect(answer.status).toBe(200)
  expect(answer.body).toMatch(/^one\nGET \/a\?b HTTP\/1\.1\r\nHost: ONE\.test\r\n/)
  expect(answer.body).toContain('x-mixed: Case\r\n')
  expect(answer.body).toContain('cookie: a=1; b=2\r\n')
  expect(answer.body).toContain('X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n')
  const second = await client.ask({ ':authority': 'other.test' })
  expect(second.body).toBe('other')
  const unknown = await client.ask({ ':authority': 'nobody.test' })
  expect(unknown.status).toBe(404)
  expect(unknown.headers['proxy-status']).toContain('unknown-host')
  expect(unknown.body).toBe('unknown host: nobody.test\n')
})

it.each([10, 20_000, 3_000_000])(
  'D22 uploads %i octets, of known and unknown length',
  async (size) => {
    await using edge = await startEdge()
    const content = Buffer.alloc(size, 'upload: ')
    const seen: string[] = []
    await using target = await startTarget(async (connection) => {
      for (;;) {
        const head = await connection.head()
        seen.push(head)
        let body = ''
        if (/content-length/i.test(head)) body = await connection.read(size)
        else {
          for (;;) {
            const length = Number.parseInt(await connection.readUntil('\r\n'), 16)
            body += await connection.read(length)
            await connection.read(2)
            if (length === 0) break
          }
        }
        connection.send(ok(digest(Buffer.from(body, 'latin1'))))
      }
    })
    edge.route({ targets: [target.url] })
    await using client = await startHttp2Client(edge.port)
    const known = await client.ask({ ':method': 'POST', 'content-length': size }, content)
    expect(known.body).toBe(digest(content))
    expect(seen[0]).toContain(`Content-Length: ${size}\r\n`)
    const unknown = await client.ask({ ':method': 'POST' }, content)
    expect(unknown.body).toBe(digest(content))
    expect(seen[1]).toContain('Transfer-Encoding: chunked\r\n')
  },
)

it('D22 uploads more on one connection than its window, and more than a stream has', async () => {
  const size = 35_000_000
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    connection.discard()
    await eventually('all of it is here', () => connection.bytes > size)
    connection.send(ok('thanks'))
  })
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const content = Buffer.alloc(size, 'x')
  const answer = await client.ask({ ':method': 'POST', 'content-length': size }, content)
  expect(answer.body).toBe('thanks')
})

it.each([
  ['of known length', (body: string) => ok(body)],
  ['in chunks', chunked],
])('D22 downloads a body %s, whatever its size', async (_, write) => {
  await using edge = await startEdge()
  await using target = await startTarget(
    always((head) => write('download'.repeat(Number(/\/(\d+)/.exec(head)?.[1])))),
  )
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  for (const times of [0, 1, 1_000, 2_000, 400_000]) {
    const { status, body, code } = await client.ask({ ':path': `/${times}` })
    expect([status, code, body.length]).toEqual([200, 0, 8 * times])
    expect(digest(body)).toBe(digest('download'.repeat(times)))
  }
})

it('D22 serves streams of one connection at once, and a slow one holds up no other', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    for (;;) {
      const head = await connection.head()
      if (!head.startsWith('GET /slow')) connection.send(ok(head.slice(4, 12)))
    }
  })
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const slow = client.open({ ':path': '/slow' }, true)
  await eventually('the slow one has come', () => target.open === 1)
  const answers = await Promise.all(
    Array.from({ length: 90 }, (_, index) => client.ask({ ':path': `/${100_000 + index}` })),
  )
  expect(answers.map(({ body }) => body)).toEqual(
    Array.from({ length: 90 }, (_, index) => `/${100_000 + index} `),
  )
  expect(slow.answer().status).toBe(0)
  slow.stream.close()
  await slow.ended()
})

it('D22 answers HEAD, 204 and 304 without content, and keeps the length that was said', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(
    always((head) => {
      if (head.startsWith('HEAD')) return 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'
      const status = head.includes('/204') ? '204 No Content' : '304 Not Modified'
      return `HTTP/1.1 ${status}\r\nETag: "x"\r\n\r\n`
    }),
  )
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const head = await client.ask({ ':method': 'HEAD' })
  expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '5', ''])
  expect((await client.ask({ ':path': '/204' })).status).toBe(204)
  expect((await client.ask({ ':path': '/304' })).headers.etag).toBe('"x"')
})

it('D22 ends a body that ends with its connection, and resets one that is cut short', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    const head = await connection.head()
    const isCut = head.includes('/cut')
    const framing = isCut ? 'Content-Length: 100\r\n' : ''
    connection.end(`HTTP/1.1 200 OK\r\n${framing}\r\nsome of it`)
  })
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const whole = await client.ask({ ':path': '/whole' })
  expect([whole.body, whole.code]).toEqual(['some of it', 0])
  expect((await client.ask({ ':path': '/cut' })).code).toBe(2)
  expect((await client.ask({ ':path': '/whole' })).body).toBe('some of it')
})

it('D23 N14 passes interim answers and trailers, and drops trailers of requests', async () => {
  await using edge = await startEdge()
  const heads: string[] = []
  await using target = await startTarget(async (connection) => {
    heads.push(await connection.head())
    connection.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
    heads.push(await connection.readUntil('0\r\n\r\n'))
    connection.send(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n' +
        'Grpc-Status: 0\r\nSet-Cookie: no\r\n\r\n',
    )
  })
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const stream = client.session.request(
    { ':authority': 'app.test', ':method': 'POST', te: 'trailers' },
    { waitForTrailers: true },
  )
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-late': 'yes' }))
  const answer = await client.ask({ ':method': 'POST', te: 'trailers' }, 'content')
  expect(answer.interim).toEqual([103])
  expect([answer.status, answer.body]).toEqual([200, 'abc'])
  expect(answer.trailers).toMatchObject({ 'grpc-status': '0' })
  expect(answer.trailers).not.toHaveProperty('set-cookie')
  expect(heads[0]).toContain('TE: trailers\r\n')
  stream.end('with trailers')
  await eventually('the second came', () => heads.length === 4)
  expect(heads[3]).toBe('d\r\nwith trailers\r\n0\r\n\r\n')
})

it('N14 waits for 100 before it sends the content', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    const head = await connection.head()
    expect(head).toContain('expect: 100-continue\r\n')
    connection.send('HTTP/1.1 100 Continue\r\n\r\n')
    connection.send(ok(await connection.read(4)))
  })
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const asked = client.open({ ':method': 'POST', expect: '100-continue', 'content-length': 4 })
  asked.stream.on('continue', () => asked.stream.end('late'))
  expect((await asked.ended()).body).toBe('late')
})

it('D22 delivers an early refusal of an upload, and tells the client to stop', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno')
  })
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  const asked = client.open({ ':method': 'POST' })
  asked.stream.write('x'.repeat(1_000))
  const { status, body, code } = await asked.ended()
  expect([status, body, code]).toEqual([403, 'no', 0])
})

it('D16 answers 413 to a body that is too large, announced or not', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url], limits: { requestBytesMax: 10 } })
  await using client = await startHttp2Client(edge.port)
  expect(
    (await client.ask({ ':method': 'POST', 'content-length': 11 }, 'x'.repeat(11))).status,
  ).toBe(413)
  expect((await client.ask({ ':method': 'POST' }, 'x'.repeat(11))).status).toBe(413)
})

it('D22 holds requests of a paused service, with their content, until it goes on', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(ok(await connection.read(7)))
  })
  edge.route({ targets: [target.url], traffic: { mode: 'paused', holdMs: 60_000 } })
  await using client = await startHttp2Client(edge.port)
  const asked = client.open({ ':method': 'POST', 'content-length': 7 })
  asked.stream.end('content')
  await eventually('it waits', () => matchHost(edge.plane.hosts, 'app.test')?.queue.size === 1)
  edge.route({ targets: [target.url] })
  expect((await asked.ended()).body).toBe('content')
})

it('P1 D22 has the second opinion on its heads too', async () => {
  await using edge = await startEdge({ paranoid: true })
  await using target = await startTarget(always(ok('fine')))
  edge.route({ targets: [target.url] })
  await using client = await startHttp2Client(edge.port)
  expect((await client.ask({ ':method': 'PUT', cookie: ['a=1', 'b=2'] }, 'content')).body).toBe(
    'fine',
  )
  expect(edge.plane.counters.disagreements).toEqual({ request: 0, response: 0 })
})

it('D22 is not spoken when it is turned off', async () => {
  await using edge = await startEdge({ http2: false })
  const answer = await edge.ask('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 505 [^]*Connection: close/)
})

it('D22 is spoken only from the first byte on', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('fine')))
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
  await client.sees('fine')
  client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  expect(await client.sees('HTTP/1.1 505')).toContain('version-not-supported')
})

function chunked(body: string): string {
  const content = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
  return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${content}0\r\n\r\n`
}

const digest = (content: string | Buffer): string => createHash('md5').update(content).digest('hex')
