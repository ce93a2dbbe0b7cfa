/**
 * Messages as senders write them, and as nobody should: most are put together from parts that mean
 * something to some parser, and some of those are broken afterwards.
 */
import { mutate, pick, type Random } from '../../apps/proxy/src/http/testing/mutation.ts'
import {
  BODY_FRAGMENTS,
  BODY_SEEDS,
  HEAD_FRAGMENTS,
  REQUEST_SEEDS,
  RESPONSE_SEEDS,
} from '../../apps/proxy/src/http/testing/seeds.ts'

/** A request head; one in two is broken. */
export const requestHead = (random: Random): string => {
  const head = random(2) === 0 ? pick(random, REQUEST_SEEDS) : writtenRequest(random).head
  return random(2) === 0 ? head : mutate(head, random, HEAD_FRAGMENTS)
}

/** A response head; one in two is broken. */
export const responseHead = (random: Random): string => {
  const head = random(2) === 0 ? pick(random, RESPONSE_SEEDS) : writtenResponse(random).head
  return random(2) === 0 ? head : mutate(head, random, HEAD_FRAGMENTS)
}

/** A chunked body; most are broken. */
export const chunkedBody = (random: Random): string =>
  random(8) === 0
    ? pick(random, BODY_SEEDS)
    : mutate(pick(random, BODY_SEEDS), random, BODY_FRAGMENTS)

/** A stream of up to five requests with their bodies; one in three is broken somewhere. */
export const requestStream = (random: Random): string => {
  let stream = ''
  for (let left = 1 + random(5); left > 0; left -= 1) {
    const { head, body } = writtenRequest(random)
    stream += head + body
  }
  return random(3) === 0 ? mutate(stream, random, [...HEAD_FRAGMENTS, ...BODY_FRAGMENTS]) : stream
}

/** What a target answers; one in six is broken. */
export const answer = (random: Random): string => {
  const { head, body } = writtenResponse(random)
  const text = pick(random, INTERIM) + head + body
  const broken = mutate(text, random, [...HEAD_FRAGMENTS, ...BODY_FRAGMENTS])
  // A target that says nothing at all is asked again, which is another story.
  return random(6) === 0 && broken !== '' ? broken : text
}

interface Written {
  readonly head: string
  readonly body: string
}

const writtenRequest = (random: Random): Written => {
  const method = pick(random, METHODS)
  const version = pick(random, VERSIONS)
  const framed = method === 'GET' || method === 'HEAD' ? NO_BODY : framedBody(random, version)
  const host = version === '1.0' && random(3) === 0 ? [] : [`Host: ${pick(random, HOSTS)}`]
  const lines = [...host, ...some(random, REQUEST_LINES), ...framed.lines]
  const start = `${method} ${targetFor(random, method)} HTTP/${version}`
  return { head: section(random, start, lines), body: framed.body }
}

const writtenResponse = (random: Random): Written => {
  const version = pick(random, VERSIONS)
  const framed = framedBody(random, version)
  const start = `HTTP/${version} ${pick(random, STATUSES)}`
  return {
    head: section(random, start, [...some(random, RESPONSE_LINES), ...framed.lines]),
    body: framed.body,
  }
}

interface FramedBody {
  readonly lines: readonly string[]
  readonly body: string
}

const NO_BODY: FramedBody = { lines: [], body: '' }

const framedBody = (random: Random, version: string): FramedBody => {
  const content = pick(random, CONTENTS)
  switch (random(version === '1.0' ? 4 : 6)) {
    case 0:
      return NO_BODY
    case 1:
      return { lines: ['Content-Length: 0'], body: '' }
    case 2:
    case 3:
      return { lines: [`${anyCase(random, 'Content-Length')}: ${content.length}`], body: content }
    default:
      return {
        lines: [`${anyCase(random, 'Transfer-Encoding')}: ${anyCase(random, 'chunked')}`],
        body: chunksOf(random, content),
      }
  }
}

const chunksOf = (random: Random, content: string): string => {
  let chunks = ''
  for (let at = 0; at < content.length;) {
    const chunk = content.slice(at, at + 1 + random(content.length))
    chunks += `${random(4) === 0 ? '0' : ''}${chunk.length.toString(16)}\r\n${chunk}\r\n`
    at += chunk.length
  }
  return `${chunks}0\r\n${pick(random, TRAILERS)}\r\n`
}

/** The field lines in any order, because order must not matter. */
const section = (random: Random, start: string, lines: readonly string[]): string => {
  const shuffled = lines.toSorted(() => random(3) - 1)
  return [start, ...shuffled, '', ''].join('\r\n')
}

const some = (random: Random, lines: readonly [string, ...string[]]): readonly string[] =>
  Array.from({ length: random(4) }, () => pick(random, lines))

const anyCase = (random: Random, name: string): string =>
  pick(random, [name, name.toLowerCase(), name.toUpperCase()])

const targetFor = (random: Random, method: string): string =>
  method === 'OPTIONS' && random(2) === 0 ? '*' : pick(random, TARGETS)

const METHODS = ['GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const
const VERSIONS = ['1.1', '1.1', '1.1', '1.1', '1.0'] as const
const HOSTS = ['a.example', 'A.example:80', '[::1]:8080', '192.0.2.7'] as const
const TARGETS = ['/', '/p?q=1', '/a//b/../c;d', '/%2e%2e/x', 'http://a.example/x?y'] as const
const CONTENTS = [
  'hello',
  'x',
  '\r\n\r\n',
  '0\r\n\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
] as const
const TRAILERS = [
  '',
  '',
  '',
  '',
  'X-Sum: 1\r\n',
  'X-A: 1\r\nSet-Cookie: a=b\r\n',
  'Host: b\r\nUpgrade: h2c\r\n',
  'Connection: close\r\n',
] as const
const STATUSES = [
  '200 OK',
  '200 ',
  '204 No Content',
  '304 Not Modified',
  '404 Not Found',
  '426 X',
  '199 X',
] as const
const INTERIM = [
  '',
  '',
  '',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 134 New\r\nContent-Length: 2\r\n\r\n',
  'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
] as const

const REQUEST_LINES = [
  'Connection: keep-alive',
  'Connection: close',
  'Connection: Upgrade\r\nUpgrade: websocket',
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c',
  'Connection: x-a\r\nX-A: 1',
  'Connection: TE\r\nTE: trailers',
  'TE: trailers',
  'Expect: 100-continue',
  'Accept: */*',
  'Cookie: a=b; c=d',
  'X-Forwarded-For: 6.6.6.6',
  'X_Forwarded_For: 6.6.6.6',
  'Content.Length: 5',
  'Trailer: X-Sum',
  'X-Empty:',
  'X-Text: \u00e9\t"x"',
  'Keep-Alive: timeout=5',
  'Content-Type: text/plain',
] as const

const RESPONSE_LINES = [
  'Connection: keep-alive',
  'Connection: close',
  'Connection: Upgrade\r\nUpgrade: websocket',
  'Connection: x-a\r\nX-A: 1',
  'Set-Cookie: a=b',
  'Server: x',
  'ETag: "x"',
  'Trailer: X-Sum',
  'X-Empty:',
  'X-Text: \u00e9\t"x"',
  'Keep-Alive: timeout=5',
] as const
