/**
 * GATEHOUSE_PARANOID: llhttp reads every head too. The one thing known that the two read differently is
 * Proxy-Connection, which no standard has and llhttp obeys.
 */
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { get, getAndClose, startEdge, statusOf } from './edge.ts'
import { always, ok, startTarget } from './target.ts'

const ODD = 'Proxy-Connection: close'

const createListener = () => {
  const warnings: unknown[] = []
  const warn = (...said: unknown[]): void => void warnings.push(said)
  return { warnings, log: { debug: () => {}, warn } }
}

it('P1 a request that two parsers read differently is 400, closed, counted and logged, and goes nowhere', async () => {
  const { warnings, log } = createListener()
  await using edge = await startEdge({ log, paranoid: true })
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url] })
  const answer = await edge.ask(get('/?token=secret', ODD, 'Cookie: secret') + get())
  expect(statusOf(answer)).toBe(400)
  expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  expect(answer).toContain('Connection: close\r\n')
  expect(target.connections).toHaveLength(0)
  expect(edge.plane.counters.disagreements).toEqual({ request: 1, response: 0 })
  expect(warnings).toEqual([
    [
      { message: 'request', about: 'persistence', code: '' },
      'two parsers read a head differently, and it was refused',
    ],
  ])
  expect(JSON.stringify(warnings)).not.toContain('secret')
})

it('P1 an answer that two parsers read differently is 502, and its connection is closed', async () => {
  const { warnings, log } = createListener()
  await using edge = await startEdge({ log, paranoid: true })
  await using target = await startTarget(always(ok('x', ODD)))
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(get())
  await client.sees('502 Bad Gateway')
  const connection = await target.connection(0)
  await eventually('the connection to the target was closed', () => connection.left)
  expect(edge.plane.counters.disagreements).toEqual({ request: 0, response: 1 })
  expect(warnings).toHaveLength(1)
})

it('P1 what both read alike passes as it does without', async () => {
  await using edge = await startEdge({ paranoid: true })
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send('HTTP/1.1 103 Early Hints\r\n\r\n')
    connection.send(ok(await connection.readUntil('0\r\n\r\n')))
  })
  edge.route({ targets: [target.url] })
  const request =
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
  const answer = await edge.ask(`${request}2\r\nhi\r\n0\r\n\r\n`)
  expect(answer).toMatch(/103 Early Hints[^]*200 OK[^]*2\r\nhi\r\n0\r\n\r\n$/)
  expect(edge.plane.counters.disagreements).toEqual({ request: 0, response: 0 })
})

it('P1 without it, there is one opinion', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('x', ODD)))
  edge.route({ targets: [target.url] })
  expect(statusOf(await edge.ask(getAndClose('/', ODD)))).toBe(200)
})
