/**
 * The same requests to Node's HTTP/2 server, which is nghttp2, and through ours: what arrives must be the
 * same, and what nghttp2 refuses to take for a request must not reach a target. Seeded.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer as createHttp1Server,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { connect, type AddressInfo, type Server } from 'node:net'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { createRandom, type Random } from '../../simulation/random.ts'
import { RawClient, startEdge } from './edge.ts'
import { startHttp2Client } from './http2-client.ts'
import {
  GET,
  POST,
  PREFACE,
  goAwayOf,
  headers,
  resetOf,
  settings,
  statusOf,
  type Fields,
} from './http2-raw.ts'

interface Listening extends AsyncDisposable {
  readonly port: number
}

const listening = async (server: Server): Promise<Listening> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      if ('closeAllConnections' in server)
        (server as never as { closeAllConnections(): void }).closeAllConnections()
      server.close()
      await Promise.resolve()
    },
  }
}

/** Says what it was asked, but for what a proxy adds. */
const echo = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): void => {
  const content = createHash('md5')
  let length = 0
  request.on('data', (chunk: Buffer) => {
    content.update(chunk)
    length += chunk.length
  })
  request.on('end', () => {
    const { ':authority': authority, host = authority, ...fields } = request.headers
    const kept = Object.entries(fields)
      .filter(
        ([name]) => !/^(?::|x-forwarded-|x-request-|connection$|transfer-encoding$)/.test(name),
      )
      .map(([name, value]) => `${name}: ${String(value)}`)
      .toSorted()
    const { method, url } = request
    const said = JSON.stringify({ method, url, host, kept, length, md5: content.digest('hex') })
    response.setHeader('x-said', createHash('md5').update(said).digest('hex'))
    response.setHeader('content-type', 'application/json')
    if (method === 'HEAD') response.end()
    else response.end(said)
  })
}

const requestOf = (
  random: Random,
): { fields: Record<string, string | string[]>; content: Buffer | undefined } => {
  const pick = <Value>(...values: readonly Value[]): Value => random.pick(values)
  const word = (): string =>
    Array.from({ length: 1 + random.below(30) }, () =>
      pick('a', 'b', 'c', 'x', 'Y', 'Z', '0', '9', '-'),
    ).join('')
  const method = pick('GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND')
  const hasContent = ['POST', 'PUT', 'PATCH'].includes(method)
  const content = hasContent
    ? Buffer.alloc(pick(0, 1, 100, 16_384, 16_385, 100_000, 400_000), word())
    : undefined
  const fields: Record<string, string | string[]> = {
    ':method': method,
    ':path': `/${word()}${pick('', `?${word()}=%20`, '/../x', '//', ';a=b')}`,
    ':authority': pick('app.test', 'App.Test:8080', 'a.b.app.test'),
  }
  for (let left = random.below(12); left > 0; left -= 1) {
    const name = pick(
      'accept',
      'accept-language',
      'user-agent',
      'referer',
      'x-a',
      `x-${word()}`,
      'authorization',
      'range',
      'te',
    )
    fields[name] =
      name === 'te'
        ? 'trailers'
        : pick(
            word(),
            '',
            `${word()} ${word()}`,
            `"${word()}", \t${word()}`,
            'é'.repeat(random.below(50) + 1),
          )
  }
  // TE names a hop, and does not tell what was asked.
  delete fields['te']
  if (random.below(3) === 0)
    fields['cookie'] = Array.from({ length: 1 + random.below(5) }, () => `${word()}=${word()}`)
  if (hasContent && random.below(2) === 0) fields['content-length'] = String(content?.length)
  return { fields, content }
}

it.each([1, 2, 3])(
  'D22 C9 brings to a target what Node would have received (seed %i)',
  async (seed) => {
    const random = createRandom(seed)
    await using oracle = await listening(createServer(echo))
    await using target = await listening(createHttp1Server(echo))
    await using edge = await startEdge()
    edge.route({ targets: [`http://127.0.0.1:${target.port}`] })
    await using ours = await startHttp2Client(edge.port)
    await using direct = await startHttp2Client(oracle.port)
    for (let round = 0; round < 20; round += 1) {
      const requests = Array.from({ length: 1 + random.below(10) }, () => requestOf(random))
      const both = await Promise.all(
        requests.map(({ fields, content }) =>
          Promise.all([ours.ask(fields, content), direct.ask(fields, content)]),
        ),
      )
      for (const [index, [mine, other]] of both.entries()) {
        const about = JSON.stringify(requests[index]?.fields)
        expect([about, mine.body]).toEqual([about, other.body])
        expect([about, mine.status, mine.headers['x-said'], mine.code]).toEqual([
          about,
          other.status,
          other.headers['x-said'],
          other.code,
        ])
      }
    }
  },
)

const brokenOf = (random: Random): Fields => {
  const fields = [...(random.below(2) === 0 ? GET : POST)].map(
    (field) => [...field] as [string, string],
  )
  const somewhere = (): number => random.below(fields.length + 1)
  for (let left = random.below(3); left > 0; left -= 1) {
    const name = random.pick(NAMES)
    const value = random.pick(VALUES)
    const place = random.below(fields.length)
    switch (random.below(5)) {
      case 0:
        fields.splice(somewhere(), 0, [name, value])
        break
      case 1:
        fields.splice(place, 1)
        break
      case 2:
        fields.splice(place, 1, [fields[place]?.[0] ?? '', value])
        break
      case 3:
        fields.splice(somewhere(), 0, [fields[place]?.[0] ?? '', fields[place]?.[1] ?? ''])
        break
      default:
        fields.push([name, VALUES[random.below(3)] ?? ''])
    }
  }
  return fields
}

const hasDecided = (client: RawClient): boolean =>
  statusOf(client, 1) !== undefined ||
  resetOf(client, 1) !== undefined ||
  goAwayOf(client) !== undefined

const NAMES = [
  'accept',
  'user-agent',
  'x-a',
  'x-b',
  'te',
  ':path',
  ':method',
  ':status',
  ':protocol',
  'host',
  'Host',
  'connection',
  'te',
  'upgrade',
  'x',
  'x y',
  'x\r\ny',
  '',
  'x:',
  'content-length',
  'transfer-encoding',
  'cookie',
  'keep-alive',
  'proxy-connection',
  'X-Up',
]
const VALUES = [
  '/',
  'x',
  'app.test',
  '',
  ' ',
  'a\r\nb',
  'a\0b',
  'a\tb',
  ' a',
  'a ',
  '0',
  '5',
  '-1',
  '1, 2',
  'trailers',
  'chunked',
  'CONNECT',
  'http',
  'a b',
  '/%00',
  '*',
  '\x7f',
  '\xff',
  'other.test',
]

it.each([1, 2])(
  'P1 D18 takes nothing for a request that nghttp2 does not (seed %i)',
  async (seed) => {
    const random = createRandom(seed)
    await using oracle = await listening(createServer((_, response) => void response.end()))
    await using target = await listening(createHttp1Server((_, response) => void response.end()))
    await using edge = await startEdge()
    edge.route({ targets: [`http://127.0.0.1:${target.port}`] })
    let taken = 0
    /** What only we have taken. */
    const alone: string[] = []
    const judge = async (fields: Fields): Promise<void> => {
      const ours = edge.client()
      const direct = new RawClient(connect(oracle.port, '127.0.0.1'))
      for (const client of [ours, direct]) client.send(PREFACE + settings() + headers(1, fields))
      await eventually('both have decided', () => hasDecided(ours) && hasDecided(direct))
      if (statusOf(ours, 1) === 200) {
        taken += 1
        if (statusOf(direct, 1) !== 200) alone.push(JSON.stringify(fields))
      }
      for (const client of [ours, direct]) client.socket.destroy()
    }
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 10 }, () => judge(brokenOf(random))))
    }
    expect(alone).toEqual([])
    expect(taken).toBeGreaterThan(10)
  },
)
