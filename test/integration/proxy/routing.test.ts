import { expect, it } from 'vitest'
import { bodyOf, getAndClose, startEdge, statusOf, type Edge } from './edge.ts'
import { always, ok, startTarget } from './target.ts'

const askFor = (edge: Edge, host: string, ...lines: readonly string[]): Promise<string> =>
  edge.ask(getAndClose('/', ...lines).replace('app.test', host))

it('C1 routes by host, whatever its case and port', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always(ok('here')))
  edge.route({ hosts: ['example.com'], targets: [target.url] })
  for (const host of ['example.com', 'EXAMPLE.com:8443', 'Example.Com.']) {
    expect(bodyOf(await askFor(edge, host))).toBe('here')
  }
})

it('C2 answers 404 for an unknown host, as text or JSON, and keeps the connection', async () => {
  await using edge = await startEdge()
  const text = await askFor(edge, 'nobody.test')
  expect(statusOf(text)).toBe(404)
  expect(bodyOf(text)).toContain('unknown host: nobody.test')
  const json = await askFor(edge, 'nobody.test', 'Accept: application/json')
  expect(json).toContain('Content-Type: application/problem+json\r\n')
  expect(JSON.parse(bodyOf(json))).toMatchObject({
    status: 404,
    detail: 'unknown host: nobody.test',
  })
})

it('C3 gives every other host to the default, and requests without a host too', async () => {
  await using edge = await startEdge()
  await using named = await startTarget(always(ok('named')))
  await using other = await startTarget(always(ok('default')))
  edge.route({ service: 'named', hosts: ['named.test'], targets: [named.url] })
  expect(statusOf(await edge.ask('GET / HTTP/1.0\r\n\r\n'))).toBe(400)
  edge.route({ service: 'other', hosts: ['default'], targets: [other.url] })
  expect(bodyOf(await askFor(edge, 'named.test'))).toBe('named')
  expect(bodyOf(await askFor(edge, 'whatever.test'))).toBe('default')
  expect(bodyOf(await edge.ask('GET / HTTP/1.0\r\n\r\n'))).toBe('default')
})

it('C4 prefers the exact host, then the longest wildcard; a wildcard is not its bare domain', async () => {
  await using edge = await startEdge()
  await using exact = await startTarget(always(ok('exact')))
  await using long = await startTarget(always(ok('long')))
  await using short = await startTarget(always(ok('short')))
  edge.route({ service: 'short', hosts: ['*.test'], targets: [short.url] })
  edge.route({ service: 'long', hosts: ['*.app.test'], targets: [long.url] })
  edge.route({ service: 'exact', hosts: ['a.app.test'], targets: [exact.url] })
  expect(bodyOf(await askFor(edge, 'a.app.test'))).toBe('exact')
  expect(bodyOf(await askFor(edge, 'b.app.test'))).toBe('long')
  expect(bodyOf(await askFor(edge, 'c.b.app.test'))).toBe('long')
  expect(bodyOf(await askFor(edge, 'app.test'))).toBe('short')
  expect(statusOf(await askFor(edge, 'test'))).toBe(404)
})

it('A15 A16 moves a host between services in one step, whichever is told first', async () => {
  await using edge = await startEdge()
  await using one = await startTarget(always(ok('one')))
  await using two = await startTarget(always(ok('two')))
  edge.route({ service: 'one', hosts: ['a.test', 'b.test'], targets: [one.url] })
  edge.route({ service: 'two', hosts: ['b.test'], targets: [two.url] })
  edge.route({ service: 'one', hosts: ['a.test'], targets: [one.url] })
  expect(bodyOf(await askFor(edge, 'b.test'))).toBe('two')
  edge.route({ service: 'one', hosts: ['c.test'], targets: [one.url] })
  expect(statusOf(await askFor(edge, 'a.test'))).toBe(404)
})

it('B4 puts the path of a target before the path of a request', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(always((head) => ok(head.slice(0, head.indexOf('\r\n')))))
  edge.route({ targets: [`${target.url}/base`] })
  expect(bodyOf(await askFor(edge, 'a.test'))).toBe('GET /base/ HTTP/1.1')
})
