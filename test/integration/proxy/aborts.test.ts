/**
 * Clients and targets that leave at every single moment of an exchange: before, after and within each byte
 * that is sent. Nothing may be left of it, and nobody may take half an answer for a whole one.
 */
import { existsSync, readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { getAndClose, startEdge, statusOf, type Edge, type RawClient } from './edge.ts'
import { startTarget, type Target, type TargetConnection } from './target.ts'

interface ExchangeSketch {
  readonly name: string
  readonly request: (path: string) => string
  /** What ends the request at its target; '' when its head does. */
  readonly last: string
  readonly answer: string
}

const lines = (...all: readonly string[]): string => [...all, '', ''].join('\r\n')
const plain = (path: string): string => lines(`GET ${path} HTTP/1.1`, 'Host: a')
const OK = `${lines('HTTP/1.1 200 OK', 'Content-Length: 5')}hello`
const CHUNKED = `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}3\r\none\r\n2\r\nok\r\n0\r\n\r\n`

const EXCHANGES: readonly ExchangeSketch[] = [
  { name: 'GET', request: plain, last: '', answer: OK },
  {
    name: 'POST',
    request: (path) =>
      `${lines(`POST ${path} HTTP/1.1`, 'Host: a', 'Content-Length: 10')}0123456789`,
    last: '9',
    answer: `${lines('HTTP/1.1 103 Early Hints', 'Link: </a>')}${OK}`,
  },
  {
    name: 'chunks both ways',
    request: (path) =>
      `${lines(`POST ${path} HTTP/1.1`, 'Host: a', 'Transfer-Encoding: chunked')}3\r\none\r\n0\r\nX: y\r\n\r\n`,
    last: '0\r\n\r\n',
    answer: CHUNKED,
  },
  {
    name: 'an upgrade',
    request: (path) =>
      `${lines(`GET ${path} HTTP/1.1`, 'Host: a', 'Connection: Upgrade', 'Upgrade: x')}bytes of x`,
    last: '',
    answer: `${lines('HTTP/1.1 101 Switching', 'Connection: Upgrade', 'Upgrade: x')}and its answer`,
  },
  {
    name: 'a pipeline',
    request: (path) => `${plain('/other')}${plain(path)}${plain('/other')}`,
    last: '',
    answer: OK,
  },
]

/** Resets, closes, and ends of one direction: by turns, so that each place meets each of them. */
const WAYS = ['reset', 'close', 'fin'] as const
type Way = (typeof WAYS)[number]

const leave = ({ socket }: RawClient | TargetConnection, way: Way): void => {
  if (way === 'reset') socket.resetAndDestroy()
  else if (way === 'close') socket.destroy()
  else socket.end()
}

/** What a target does about one path. */
interface Plan {
  /** Bytes of the answer that it sends. */
  readonly answerBytes: number
  readonly afterwards: (connection: TargetConnection) => void
  /** It acts as soon as it has the head. */
  readonly atHead?: boolean
}

const AT_ONCE = 50

it.each(EXCHANGES)(
  'P4 $name: whoever leaves, at whichever byte, nothing is left and nothing is taken for whole',
  async (exchange) => {
    await using edge = await startEdge({ limits: { lingerMs: 100, halfClosedMs: 100 } })
    const plans = new Map<string, Plan>()
    await using target = await startTarget((connection) => serve(connection, exchange, plans))
    const limits = { idleMs: 500, responseMs: 500, upgradedIdleMs: 500 }
    edge.route({ targets: [target.url], limits })
    expect(await statusOfHonest(edge)).toBe(200)
    const before = descriptors()

    const cases = casesOf(exchange, edge, plans)
    for (let from = 0; from < cases.length; from += AT_ONCE) {
      await Promise.all(cases.slice(from, from + AT_ONCE).map((run) => run()))
    }

    await eventually('no client is left', () => edge.plane.counters.clients.open === 0)
    await eventually('no claim is left', () => edge.plane.work().length === 0)
    await eventually('only idle connections are left', () => isQuiet(edge, target))
    expect(await statusOfHonest(edge)).toBe(200)
    edge.route({ targets: [] })
    await eventually('no descriptor is left', () => descriptors() <= before)
  },
  60_000,
)

const isQuiet = ({ plane }: Edge, target: Target): boolean =>
  plane.counters.upstreams.open === target.open

const statusOfHonest = async (edge: Edge): Promise<number> =>
  statusOf(await edge.ask(getAndClose('/other')))

/** Of this process, where the system tells. */
const descriptors = (): number =>
  existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0

const serve = async (
  connection: TargetConnection,
  { last, answer }: ExchangeSketch,
  plans: ReadonlyMap<string, Plan>,
): Promise<void> => {
  connection.socket.on('end', () => connection.socket.end())
  for (;;) {
    const head = await connection.head()
    const plan = plans.get(head.split(' ')[1] ?? '')
    if (plan === undefined) {
      connection.send(OK)
      continue
    }
    if (last !== '' && plan.atHead !== true) await connection.readUntil(last)
    connection.send(answer.slice(0, plan.answerBytes))
    plan.afterwards(connection)
    if (answer.startsWith('HTTP/1.1 101')) return
  }
}

/** Every place of the exchange, with everybody who may leave there. */
const casesOf = (
  exchange: ExchangeSketch,
  edge: Edge,
  plans: Map<string, Plan>,
): readonly (() => Promise<void>)[] => {
  let number = 0
  const nextPath = (): string => `/${String((number += 1)).padStart(6, '0')}`
  const nextWay = (): Way => WAYS[number % WAYS.length] ?? 'reset'
  const requestBytes = exchange.request('/000000').length
  const headBytes = exchange.request('/000000').indexOf('\r\n\r\n') + 4
  const answerBytes = exchange.answer.length

  /** The client leaves after so many bytes of its request. */
  const clientLeaves = async (bytes: number): Promise<void> => {
    const client = edge.client()
    client.send(exchange.request(nextPath()).slice(0, bytes))
    const way = nextWay()
    await new Promise(setImmediate)
    leave(client, way)
    await finish(client)
  }

  /** Somebody leaves after so many bytes of the answer, or both at once. */
  const leavesInAnswer = async (
    bytes: number,
    who: 'client' | 'target' | 'both',
  ): Promise<void> => {
    const path = nextPath()
    const way = nextWay()
    const client = edge.client()
    const sent = Promise.withResolvers<void>()
    plans.set(path, {
      answerBytes: bytes,
      afterwards: (connection) => {
        if (who !== 'client') leave(connection, way)
        sent.resolve()
      },
    })
    client.send(exchange.request(path))
    await Promise.race([sent.promise, delivered(client)])
    if (who === 'target') await expectNoWhole(client, exchange, bytes, way)
    else leave(client, way)
    await finish(client)
  }

  /** The target leaves while so many bytes of the request have been sent. */
  const targetLeavesInRequest = async (bytes: number): Promise<void> => {
    const path = nextPath()
    const way = nextWay()
    const client = edge.client()
    const left = Promise.withResolvers<void>()
    plans.set(path, {
      answerBytes: 0,
      atHead: true,
      afterwards: (connection) => {
        leave(connection, way)
        left.resolve()
      },
    })
    const request = exchange.request(path)
    client.send(request.slice(0, bytes))
    await Promise.race([left.promise, delivered(client)])
    client.send(request.slice(bytes))
    await eventually('it is told', () => client.over || client.text.includes(' 502 '))
    await finish(client)
  }

  const upTo = (count: number): readonly number[] =>
    Array.from({ length: count + 1 }, (_, at) => at)
  const hasBody = exchange.last !== ''
  return [
    ...upTo(requestBytes).map((bytes) => () => clientLeaves(bytes)),
    ...upTo(answerBytes).map((bytes) => () => leavesInAnswer(bytes, 'client')),
    ...upTo(answerBytes).map((bytes) => () => leavesInAnswer(bytes, 'both')),
    ...upTo(answerBytes - 1).map((bytes) => () => leavesInAnswer(bytes, 'target')),
    ...(hasBody
      ? upTo(requestBytes)
          .filter((bytes) => bytes >= headBytes)
          .map((bytes) => () => targetLeavesInRequest(bytes))
      : []),
  ]
}

const TOLD_MS = 10_000

const delivered = (client: RawClient): Promise<unknown> =>
  eventually('it is over', () => client.over, TOLD_MS)

/** A target that left within its answer: the client gets a 502, or a reset, or a tunnel's end. */
const expectNoWhole = async (
  client: RawClient,
  { name, answer }: ExchangeSketch,
  bytes: number,
  way: Way,
): Promise<void> => {
  const isTunnel = name === 'an upgrade' && bytes >= answer.indexOf('\r\n\r\n') + 4
  await eventually(
    'it is told',
    () => client.closed || client.ended || client.text.includes(' 502 '),
    TOLD_MS,
  )
  if (isTunnel) return
  const isTold = client.error !== undefined || client.text.includes(' 502 ')
  expect([name, bytes, way, isTold]).toEqual([name, bytes, way, true])
}

/** Whatever it still waits for, it is gone now. */
const finish = async (client: RawClient): Promise<void> => {
  client.socket.destroy()
  await eventually('it is closed', () => client.closed, TOLD_MS)
}
