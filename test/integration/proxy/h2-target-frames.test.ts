import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { get, getAndClose, startEdge, type Edge } from './edge.ts'
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  STATUS_200,
  code,
  startFrameTarget,
  startHttp2Target,
  type FrameConnection,
  type FrameTarget,
} from './h2-target.ts'

/** RFC 9113 §7. */
const PROTOCOL_ERROR = 1
const FLOW_CONTROL_ERROR = 3
const COMPRESSION_ERROR = 9

/** HPACK: a literal field without indexing. */
const field = (name: string, value: string): Buffer =>
  Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name, 'latin1'),
    Buffer.from([value.length]),
    Buffer.from(value, 'latin1'),
  ])

const head = (...fields: readonly Buffer[]): Buffer => Buffer.concat([STATUS_200, ...fields])

/** A request is on its way to the target, which has its head. */
const asked = async (
  edge: Edge,
  target: FrameTarget,
): Promise<{ answer: Promise<string>; connection: FrameConnection; stream: number }> => {
  edge.route({ targets: [target.url] })
  const answer = edge.ask(getAndClose())
  const connection = await target.connection(0)
  const { stream } = await connection.sees(FRAME.headers)
  return { answer, connection, stream }
}

/** The count has begun, and has not grown for a while. */
const standstill = async (what: string, count: () => number): Promise<void> => {
  let before = 0
  await eventually(`a standstill of ${what}`, async () => {
    const isStill = before > 0 && count() === before
    before = count()
    await new Promise((resolve) => setTimeout(resolve, 200))
    return isStill
  })
}

it.each([
  ['no status', field('a', 'b')],
  ['two of them', head(STATUS_200)],
  ['one that is no number', Buffer.concat([field(':status', '2x0')])],
  ['one behind a field', Buffer.concat([field('a', 'b'), STATUS_200])],
  ['a pseudo-field of requests', head(field(':path', '/'))],
  ['a line within a value', head(field('a', 'b\r\nset-cookie: c'))],
  ['NUL in a value', head(field('a', 'b\0'))],
  ['an upper-case name', head(field('A', 'b'))],
  ['a colon in a name', head(field('a:b', 'c'))],
  ['Connection', head(field('connection', 'close'))],
  ['Transfer-Encoding', head(field('transfer-encoding', 'chunked'))],
  ['101', Buffer.concat([field(':status', '101')])],
])('P3 answers 502 for an answer with %s, and resets its stream', async (_what, block) => {
  await using edge = await startEdge()
  await using target = await startFrameTarget()
  const { answer, connection, stream } = await asked(edge, target)
  connection.send(FRAME.headers, END_HEADERS, stream, block)
  expect(await answer).toMatch(/^HTTP\/1\.1 502 /)
  expect((await connection.sees(FRAME.resetStream)).payload).toEqual(code(PROTOCOL_ERROR))
  expect(connection.closed).toBe(false)
})

it.each([
  ['more content than was stated', '3', 0],
  ['less', '5', END_STREAM],
])('D10 breaks off an answer with %s', async (_what, length, flags) => {
  await using edge = await startEdge()
  await using target = await startFrameTarget()
  const { answer, connection, stream } = await asked(edge, target)
  connection.send(FRAME.headers, END_HEADERS, stream, head(field('content-length', length)))
  connection.send(FRAME.data, flags, stream, Buffer.from('four'))
  const text = await answer
  expect(text).not.toContain('four')
  await connection.sees(FRAME.resetStream)
})

it.each([
  ['a field block that is none', FRAME.headers, END_HEADERS, 1, 'ff', COMPRESSION_ERROR],
  ['a stream that was never opened', FRAME.data, 0, 7, '00', PROTOCOL_ERROR],
  ['a pushed stream', 5, END_HEADERS, 1, '00000002', PROTOCOL_ERROR],
  ['a window beyond all bounds', FRAME.windowUpdate, 0, 0, '7fffffff', FLOW_CONTROL_ERROR],
])(
  'P3 leaves a target that sends %s, and says why',
  async (_what, type, flags, stream, hex, reason) => {
    await using edge = await startEdge()
    await using target = await startFrameTarget()
    const { answer, connection } = await asked(edge, target)
    connection.send(type, flags, stream, Buffer.from(hex, 'hex'))
    expect(await answer).toMatch(/^HTTP\/1\.1 502 /)
    const { payload } = await connection.sees(FRAME.goAway)
    expect(payload.readUInt32BE(4)).toBe(reason)
    await eventually('it was closed', () => connection.closed)
  },
)

it('P3 holds a head that says much with little to what a head may be', async () => {
  await using edge = await startEdge()
  await using target = await startFrameTarget()
  const { answer, connection, stream } = await asked(edge, target)
  // One field of 3 KiB for the table, and then it again and again, with one octet each.
  const value = Buffer.alloc(3_000, 'x')
  const first = Buffer.concat([Buffer.from([0x40, 1, 0x61, 0x7f, 0xb9, 0x16]), value])
  const again = Buffer.alloc(10_000, 0xbe)
  connection.send(FRAME.headers, END_HEADERS, stream, Buffer.concat([STATUS_200, first, again]))
  expect(await answer).toMatch(/^HTTP\/1\.1 502 /)
})

it('D11 lets a target send no more than its client takes, and the others go on', async () => {
  await using edge = await startEdge()
  let sent = 0
  await using target = await startHttp2Target((stream, { ':path': path }) => {
    stream.respond({ ':status': 200 })
    if (path !== '/much') {
      stream.end('little')
      return
    }
    const block = Buffer.alloc(65_536)
    const go = (): void => {
      do sent += block.length
      while (!stream.destroyed && stream.write(block))
    }
    stream.on('drain', go)
    go()
  })
  edge.route({ targets: [target.url] })
  const slow = edge.client()
  slow.socket.pause()
  slow.send(get('/much'))
  await standstill('what is sent', () => sent)
  expect(sent).toBeLessThan(16_777_216)
  expect(await edge.ask(getAndClose('/little'))).toContain('little')
  expect(target.sessions).toHaveLength(1)
  const until = sent + 4_000_000
  slow.discard()
  slow.socket.resume()
  await eventually('it goes on', () => sent > until)
})

it('D11 takes no more of a client than its target does', async () => {
  await using edge = await startEdge()
  let held: { resume(): unknown } | undefined
  let received = 0
  await using target = await startHttp2Target((stream) => {
    held = stream
    stream.on('data', (bytes: Buffer) => (received += bytes.length))
    stream.pause()
    stream.on('end', () => {
      if (!stream.destroyed) stream.respond({ ':status': 200 }, { endStream: true })
    })
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  const length = 24_000_000
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`)
  const block = Buffer.alloc(64_000)
  let written = 0
  const go = (): void => {
    while (written < length) {
      written += block.length
      if (!client.socket.write(block)) return
    }
  }
  client.socket.on('drain', go)
  go()
  await standstill('what is taken', () => written)
  expect(written).toBeLessThan(length)
  held?.resume()
  await client.sees('200 OK')
  expect(received).toBe(length)
})
