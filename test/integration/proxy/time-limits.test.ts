/** Time limits end a request when they say, not much later: of a service, of its paths and methods. */
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { get, getAndClose, startEdge, statusOf } from './edge.ts'
import { startTarget } from './target.ts'

/** The wheel's two ticks, and a busy machine. */
const LATE_MS_MAX = 600

const timed = async <Answer>(work: Promise<Answer>): Promise<readonly [Answer, number]> => {
  const from = performance.now()
  const answer = await work
  return [answer, performance.now() - from]
}

const postAndClose = (path: string): string => getAndClose(path).replace('GET', 'POST')

it('N6 answers 504 after the time of the most specific rule for path and method', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({
    targets: [target.url],
    limits: { responseMs: 1_600 },
    release: {
      timeouts: [
        { path: '/', method: 'PUT', responseMs: 60_000 },
        { path: '/reports', responseMs: 900 },
        { path: '/reports', method: 'POST', responseMs: 200 },
      ],
    },
  })
  const asked = [
    [postAndClose('/reports/2026?all'), 200],
    [getAndClose('/reports'), 900],
    [getAndClose('/reports-old'), 1_600],
    [postAndClose('/'), 1_600],
  ] as const
  await Promise.all(
    asked.map(async ([request, limitMs]) => {
      const [answer, tookMs] = await timed(edge.ask(request))
      expect(statusOf(answer)).toBe(504)
      expect(tookMs).toBeGreaterThanOrEqual(limitMs)
      expect(tookMs).toBeLessThan(limitMs + LATE_MS_MAX)
    }),
  )
})

it('N6 gives each request of one connection the time of its own path', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({
    targets: [target.url],
    limits: { responseMs: 300 },
    release: { timeouts: [{ path: '/slow', responseMs: 1_000 }] },
  })
  const client = edge.client()
  const [, firstMs] = await timed((client.send(get('/slow')), client.sees('Gateway Timeout')))
  expect(firstMs).toBeGreaterThanOrEqual(1_000)
  client.text = ''
  const [, secondMs] = await timed((client.send(get('/')), client.sees('Gateway Timeout')))
  expect(secondMs).toBeGreaterThanOrEqual(300)
  expect(secondMs).toBeLessThan(300 + LATE_MS_MAX)
})

it('N6 cuts an answer that falls silent after the idle time of its path', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart')
  })
  edge.route({
    targets: [target.url],
    limits: { idleMs: 60_000 },
    release: { timeouts: [{ path: '/events', idleMs: 200 }] },
  })
  const client = edge.client()
  client.send(get('/events'))
  const [, tookMs] = await timed(eventually('it was cut', () => client.closed))
  expect(tookMs).toBeGreaterThanOrEqual(200)
  expect(tookMs).toBeLessThan(200 + LATE_MS_MAX)
})

it('N6 answers 504 when a target accepts and then does not finish the TLS handshake', async () => {
  await using edge = await startEdge()
  await using mute = await startTarget()
  edge.route({
    targets: [mute.url.replace('http:', 'https:')],
    limits: { connectMs: 300, responseMs: 60_000 },
  })
  const [answer, tookMs] = await timed(edge.ask(getAndClose()))
  expect(statusOf(answer)).toBe(504)
  expect(answer).toContain('error=connection_timeout')
  expect(tookMs).toBeGreaterThanOrEqual(300)
  expect(tookMs).toBeLessThan(300 + LATE_MS_MAX)
  await eventually('it let go', () => mute.open === 0)
})
