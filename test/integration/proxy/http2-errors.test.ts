/** What HTTP/2 forbids: the error it names for it, and not a byte of it for a target. */
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { startEdge } from './edge.ts'
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  GET,
  PADDED,
  POST,
  PREFACE,
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
  type Fields,
} from './http2-raw.ts'
import { always, ok, startTarget } from './target.ts'

const [METHOD, SCHEME, PATH, AUTHORITY] = GET as [Fields[0], Fields[0], Fields[0], Fields[0]]
const PROTOCOL_ERROR = 1
const FLOW_CONTROL_ERROR = 3
const STREAM_CLOSED = 5
const FRAME_SIZE_ERROR = 6
const COMPRESSION_ERROR = 9

it.each<[string, Fields]>([
  ['Connection', [...GET, ['connection', 'keep-alive']]],
  ['Keep-Alive', [...GET, ['keep-alive', 'timeout=5']]],
  ['Proxy-Connection', [...GET, ['proxy-connection', 'close']]],
  ['Transfer-Encoding', [...POST, ['transfer-encoding', 'chunked']]],
  ['Upgrade', [...GET, ['upgrade', 'h2c']]],
  ['TE other than trailers', [...GET, ['te', 'gzip']]],
  ['an upper-case name', [...GET, ['X-Upper', 'case']]],
  ['an empty name', [...GET, ['', 'x']]],
  ['a name that is no token', [...GET, ['a b', 'x']]],
  ['CR LF in a name', [...GET, ['a: b\r\nhost', 'x']]],
  ['CR LF in a value', [...GET, ['x', 'a\r\nhost: other.test']]],
  ['NUL in a value', [...GET, ['x', 'a\0b']]],
  ['white space before a value', [...GET, ['x', ' a']]],
  ['white space behind a value', [...GET, ['x', 'a\t']]],
  ['CR LF in a path', [METHOD, SCHEME, [':path', '/ HTTP/1.1\r\nhost: b\r\n\r\n'], AUTHORITY]],
  ['a space in a path', [METHOD, SCHEME, [':path', '/a b'], AUTHORITY]],
  ['a path in absolute form', [METHOD, SCHEME, [':path', 'http://b/'], AUTHORITY]],
  ['an empty path', [METHOD, SCHEME, [':path', ''], AUTHORITY]],
  ['CR LF in an authority', [METHOD, SCHEME, PATH, [':authority', 'a\r\nx: y']]],
  ['CR LF in a method', [[':method', 'GET / HTTP/1.1\r\n\r\nGET'], SCHEME, PATH, AUTHORITY]],
  ['a scheme that is not ours', [METHOD, [':scheme', 'ftp'], PATH, AUTHORITY]],
  ['no method', [SCHEME, PATH, AUTHORITY]],
  ['no scheme', [METHOD, PATH, AUTHORITY]],
  ['no path', [METHOD, SCHEME, AUTHORITY]],
  ['a pseudo-field twice', [...GET, [':path', '/b']]],
  ['a pseudo-field behind another field', [METHOD, SCHEME, PATH, ['x', 'y'], AUTHORITY]],
  ['an unknown pseudo-field', [...GET, [':status', '200']]],
  ['a Host that contradicts the authority', [...GET, ['host', 'other.test']]],
  ['two Hosts', [METHOD, SCHEME, PATH, ['host', 'app.test'], ['host', 'app.test']]],
  ['a length without content', [...POST, ['content-length', '5']]],
  ['a protocol for GET', [...GET, [':protocol', 'websocket']]],
  ['CONNECT with a path', [[':method', 'CONNECT'], PATH, AUTHORITY]],
])('P1 D18 resets a stream with %s', async (_, fields) => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('reached')))
  edge.route({ targets: [target.url] })
  const client = begin(edge)
  client.send(headers(1, fields) + headers(3))
  await eventually('the next is answered', () => statusOf(client, 3) === 200)
  expect(resetOf(client, 1)).toBe(PROTOCOL_ERROR)
  expect(target.connections).toHaveLength(1)
})

it.each<[string, number, Fields]>([
  ['no authority at all', 400, [METHOD, SCHEME, PATH]],
  ['an authority with a user', 400, [METHOD, SCHEME, PATH, [':authority', 'me@app.test']]],
  ['two lengths', 400, [...POST, ['content-length', '0'], ['content-length', '0']]],
  ['%00 in a path', 400, [METHOD, SCHEME, [':path', '/a%00'], AUTHORITY]],
  ['an asterisk for GET', 400, [METHOD, SCHEME, [':path', '*'], AUTHORITY]],
  [
    'CONNECT',
    405,
    [
      [':method', 'CONNECT'],
      [':authority', 'app.test:443'],
    ],
  ],
  ['TRACE', 405, [[':method', 'TRACE'], SCHEME, PATH, AUTHORITY]],
  ['an unknown method', 501, [[':method', 'BREW'], SCHEME, PATH, AUTHORITY]],
  ['a long path', 414, [METHOD, SCHEME, [':path', `/${'x'.repeat(9_000)}`], AUTHORITY]],
  ['too many fields', 431, [...GET, ...Array.from({ length: 101 }, (): Fields[0] => ['x', 'y'])]],
  [
    'a protocol that is not WebSocket',
    501,
    [[':method', 'CONNECT'], [':protocol', 'connect-udp'], SCHEME, PATH, AUTHORITY],
  ],
])('P1 D18 answers %s as HTTP/1.1 does: %i', async (_, status, fields) => {
  await using edge = await startEdge()
  const client = begin(edge)
  client.send(headers(1, fields))
  await eventually('it is answered', () => statusOf(client, 1) === status)
  expect(framesOf(client).filter(({ type }) => type === TYPE.goAway)).toEqual([])
})

it.each<[string, string, number]>([
  [
    'content beyond its length',
    headers(1, [...POST, ['content-length', '3']], 0) + data(1, 'four'),
    PROTOCOL_ERROR,
  ],
  [
    'content short of its length',
    headers(1, [...POST, ['content-length', '5']], 0) + data(1, 'four', END_STREAM),
    PROTOCOL_ERROR,
  ],
  ['content behind the end', headers(1, POST) + data(1, 'late'), STREAM_CLOSED],
  ['fields behind the end', headers(1, POST) + headers(1, [['x', 'y']]), STREAM_CLOSED],
  ['trailers that end nothing', headers(1, POST, 0) + headers(1, [['x', 'y']], 0), PROTOCOL_ERROR],
  [
    'a pseudo-field in trailers',
    headers(1, POST, 0) + headers(1, [[':path', '/']]),
    PROTOCOL_ERROR,
  ],
  ['an update of nothing', headers(1, POST, 0) + windowUpdate(1, 0), PROTOCOL_ERROR],
  [
    'a window beyond all windows',
    headers(1, POST, 0) + windowUpdate(1, 2 ** 31 - 1),
    FLOW_CONTROL_ERROR,
  ],
  [
    'a priority of another length',
    headers(1, POST, 0) + frame(TYPE.priority, 0, 1, 'abc'),
    FRAME_SIZE_ERROR,
  ],
  [
    'more content than its window',
    headers(1, POST, 0) + data(1, 'x'.repeat(16_384)).repeat(17),
    FLOW_CONTROL_ERROR,
  ],
])('D22 resets a stream with %s', async (_, frames, code) => {
  await using edge = await startEdge()
  // Nobody takes what comes, so windows are used up.
  edge.route({ traffic: { mode: 'paused', holdMs: 60_000 } })
  const client = begin(edge)
  client.send(frames)
  await eventually('it is reset', () => resetOf(client, 1) !== undefined)
  expect(resetOf(client, 1)).toBe(code)
  edge.route({ traffic: { mode: 'stopped', message: '' } })
  client.send(headers(3))
  await eventually('the next is answered', () => statusOf(client, 3) !== undefined)
})

it.each<[string, string, number]>([
  ['another preface', 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', PROTOCOL_ERROR],
  ['no SETTINGS first', PREFACE + headers(1), PROTOCOL_ERROR],
  [
    'a frame that is too large',
    PREFACE + settings() + frame(0x77, 0, 0, 'x'.repeat(16_385)),
    FRAME_SIZE_ERROR,
  ],
  ['SETTINGS on a stream', PREFACE + frame(TYPE.settings, 0, 1), PROTOCOL_ERROR],
  ['SETTINGS of another length', PREFACE + frame(TYPE.settings, 0, 0, 'abc'), FRAME_SIZE_ERROR],
  [
    'an acknowledgement that says more',
    PREFACE + settings() + frame(TYPE.settings, ACK, 0, setting(4, 1)),
    FRAME_SIZE_ERROR,
  ],
  ['a push setting beyond 1', PREFACE + settings(setting(2, 2)), PROTOCOL_ERROR],
  [
    'a window setting beyond all windows',
    PREFACE + settings(setting(4, 2 ** 31)),
    FLOW_CONTROL_ERROR,
  ],
  ['a frame size below the least', PREFACE + settings(setting(5, 16_383)), PROTOCOL_ERROR],
  ['PING on a stream', PREFACE + settings() + frame(TYPE.ping, 0, 1, '12345678'), PROTOCOL_ERROR],
  ['PING of another length', PREFACE + settings() + frame(TYPE.ping, 0, 0, '1'), FRAME_SIZE_ERROR],
  [
    'GOAWAY on a stream',
    PREFACE + settings() + frame(TYPE.goAway, 0, 1, uint(0, 8)),
    PROTOCOL_ERROR,
  ],
  [
    'PUSH_PROMISE',
    PREFACE + settings() + frame(TYPE.push, END_HEADERS, 1, uint(2, 4)),
    PROTOCOL_ERROR,
  ],
  ['HEADERS on no stream', PREFACE + settings() + headers(0), PROTOCOL_ERROR],
  ['HEADERS on a stream of ours', PREFACE + settings() + headers(2), PROTOCOL_ERROR],
  ['HEADERS on an older stream', PREFACE + settings() + headers(5) + headers(3), STREAM_CLOSED],
  ['DATA on no stream', PREFACE + settings() + data(0, 'x'), PROTOCOL_ERROR],
  ['DATA on an idle stream', PREFACE + settings() + data(1, 'x'), PROTOCOL_ERROR],
  [
    'DATA on a stream that has ended',
    PREFACE + settings() + headers(1) + data(1, 'x'),
    STREAM_CLOSED,
  ],
  ['RST_STREAM on an idle stream', PREFACE + settings() + reset(1), PROTOCOL_ERROR],
  [
    'RST_STREAM of another length',
    PREFACE + settings() + frame(TYPE.reset, 0, 1, 'abc'),
    FRAME_SIZE_ERROR,
  ],
  ['WINDOW_UPDATE on an idle stream', PREFACE + settings() + windowUpdate(1, 1), PROTOCOL_ERROR],
  [
    'WINDOW_UPDATE of another length',
    PREFACE + settings() + frame(TYPE.windowUpdate, 0, 0, 'abc'),
    FRAME_SIZE_ERROR,
  ],
  ['WINDOW_UPDATE of nothing', PREFACE + settings() + windowUpdate(0, 0), PROTOCOL_ERROR],
  [
    'a window beyond all windows',
    PREFACE + settings() + windowUpdate(0, 2 ** 31 - 1),
    FLOW_CONTROL_ERROR,
  ],
  [
    'CONTINUATION of nothing',
    PREFACE + settings() + frame(TYPE.continuation, END_HEADERS, 1),
    PROTOCOL_ERROR,
  ],
  [
    'another frame within a head',
    PREFACE + settings() + frame(TYPE.headers, 0, 1, block(GET)) + data(1, ''),
    PROTOCOL_ERROR,
  ],
  [
    'another stream within a head',
    PREFACE + settings() + frame(TYPE.headers, 0, 1, block(GET)) + frame(TYPE.continuation, 4, 3),
    PROTOCOL_ERROR,
  ],
  [
    'padding longer than DATA',
    PREFACE + settings() + headers(1, POST, 0) + frame(TYPE.data, PADDED, 1, '\x05abc'),
    PROTOCOL_ERROR,
  ],
  [
    'padding longer than HEADERS',
    PREFACE + settings() + frame(TYPE.headers, PADDED | END_HEADERS, 1, '\x05abc'),
    PROTOCOL_ERROR,
  ],
  [
    'a field block of nonsense',
    PREFACE + settings() + frame(TYPE.headers, END_HEADERS, 1, '\x80'),
    COMPRESSION_ERROR,
  ],
])('D22 ends a connection with %s', async (_, bytes, code) => {
  await using edge = await startEdge({ limits: { lingerMs: 100 } })
  const client = edge.client()
  client.send(bytes)
  expect(await endOf(client)).toBe(code)
})

it('D22 reads what is padded, what comes in pieces, and what it does not know', async () => {
  await using edge = await startEdge()
  const bodies: string[] = []
  await using target = await startTarget(async (connection) => {
    for (;;) {
      await connection.head()
      bodies.push(await connection.read(4))
      connection.send(ok(''))
    }
  })
  edge.route({ targets: [target.url] })
  const client = begin(edge)
  const fields = block([...POST, ['content-length', '4']])
  const padding = '\0'.repeat(7)
  const priority = uint(0, 5)
  const stream =
    frame(0xbe, 0xff, 7, 'what is this') +
    frame(TYPE.priority, 0, 9, priority) +
    frame(0x10, 0, 0, `${uint(1, 4)}u=0`) +
    frame(TYPE.headers, PADDED | 0x20, 1, `\x07${priority}${fields.slice(0, 20)}${padding}`) +
    frame(TYPE.continuation, 0, 1, fields.slice(20, 21)) +
    frame(TYPE.continuation, END_HEADERS, 1, fields.slice(21)) +
    frame(TYPE.data, PADDED, 1, `\x07ab${padding}`) +
    frame(TYPE.data, PADDED | END_STREAM, 1, `\x07cd${padding}`)
  for (const octet of stream) {
    client.send(octet)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await eventually('it is answered', () => statusOf(client, 1) === 200)
  expect(bodies).toEqual(['abcd'])
})
