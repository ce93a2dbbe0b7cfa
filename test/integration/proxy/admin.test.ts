/** What a running proxy says of itself: its admin listener, and its numbers as a scraper reads them. */
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { EMPTY_QUARANTINE } from '@gatehouse/events'
import { expect, it } from 'vitest'
import { listenAdmin, type AdminView } from '../../../apps/proxy/src/control/admin.ts'
import { metricsText, type MetricsParts } from '../../../apps/proxy/src/control/metrics.ts'
import { routeRows } from '../../../apps/proxy/src/control/route-rows.ts'
import { createCounters } from '../../../apps/proxy/src/serve/counters.ts'
import { eventually } from '../../support/eventually.ts'
import { readExposition } from '../../support/exposition.ts'
import { startUpstream } from '../../support/upstream.ts'
import { get, getAndClose, startEdge, statusOf } from './edge.ts'
import { AUTHORITY, bundleOf } from './tls-edge.ts'

const DOCUMENT = join(import.meta.dirname, '../../../docs/metrics.md')

interface Answer {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly text: string
}

const startAdmin = async (view: Partial<AdminView> = {}) => {
  const admin = await listenAdmin(
    { host: '127.0.0.1', port: 0 },
    { notReadyBecause: () => [], routes: () => [], metrics: () => '', ...view },
  )
  const ask = (
    path: string,
    { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const asking = request({ ...admin.address, path, method, headers, agent: false })
      asking.on('error', reject)
      asking.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.on('end', () =>
          resolve({ status: response.statusCode, type: response.headers['content-type'], text }),
        )
      })
      asking.end()
    })
  return { ...admin, ask, [Symbol.asyncDispose]: () => admin.close() }
}

const numbers: Omit<MetricsParts, 'dataPlane'> = {
  id: 'proxy-1',
  version: '0.1.0',
  view: {
    position: 41,
    tableHash: 'h',
    routes: 2,
    receipts: [],
    quarantine: EMPTY_QUARANTINE,
    stale: undefined,
  },
  redisConnected: true,
  now: 5_000,
}

it('I4 is alive in any case, and ready or not with every reason', async () => {
  let reasons: readonly string[] = ['has no routes yet: starting']
  await using admin = await startAdmin({ notReadyBecause: () => reasons })
  expect(await admin.ask('/healthz')).toMatchObject({ status: 200, text: 'ok\n' })
  expect(await admin.ask('/livez')).toMatchObject({ status: 200, text: 'ok\n' })
  expect(await admin.ask('/readyz')).toMatchObject({
    status: 503,
    text: 'has no routes yet: starting\n',
  })
  reasons = ['is stopping', 'Redis does not answer']
  expect((await admin.ask('/readyz')).text).toBe('is stopping\nRedis does not answer\n')
  reasons = []
  expect(await admin.ask('/readyz?verbose')).toMatchObject({ status: 200, text: 'ready\n' })
  expect(await admin.ask('/readyz', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
})

it('I4 names what there is to whoever asks for something else', async () => {
  await using admin = await startAdmin()
  for (const path of ['/', '/routes/x', '//evil', '/../etc/passwd']) {
    expect(await admin.ask(path), `path ${path}`).toMatchObject({
      status: 404,
      text: 'try /healthz, /readyz, /routes or /metrics\n',
    })
  }
})

it('P2 P6 only reads, and answers no page of a browser, nor a name that somebody gave to loopback', async () => {
  await using admin = await startAdmin()
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    expect(await admin.ask('/routes', { method }), `method ${method}`).toMatchObject({
      status: 405,
    })
  }
  const page = { headers: { origin: 'https://evil.test' } }
  expect(await admin.ask('/routes', page)).toMatchObject({ status: 403 })
  for (const host of [
    'evil.test',
    'evil.test:9900',
    'localhost.evil.test',
    '127.0.0.1.evil.test',
  ]) {
    expect(await admin.ask('/routes', { headers: { host } }), `Host: ${host}`).toMatchObject({
      status: 403,
    })
  }
  for (const host of ['localhost', 'LOCALHOST:9900', '127.0.0.1:9900', '[::1]:9900', '10.0.0.7']) {
    expect(await admin.ask('/routes', { headers: { host } }), `Host: ${host}`).toMatchObject({
      status: 200,
    })
  }
})

it('A27 I14 gives routes as JSON, and numbers in the text format that scrapers name by version', async () => {
  await using edge = await startEdge()
  edge.route({ service: 'shop', hosts: ['shop.test'], targets: ['http://127.0.0.1:9'] })
  await using admin = await startAdmin({
    routes: () => routeRows(edge.plane),
    metrics: () => metricsText({ ...numbers, dataPlane: edge.plane }),
  })
  const routes = await admin.ask('/routes')
  expect(routes).toMatchObject({ status: 200, type: 'application/json; charset=utf-8' })
  expect(JSON.parse(routes.text)).toEqual([
    {
      host: 'shop.test',
      service: 'shop',
      release: 'r1',
      target: 'http://127.0.0.1:9',
      state: 'active',
      inFlight: 0,
    },
  ])
  const metrics = await admin.ask('/metrics')
  expect(metrics.type).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(readExposition(metrics.text).get('gatehouse_route_table_position')?.samples).toEqual([
    { labels: {}, value: 41 },
  ])
})

it('I14 every metric of the document is there with its labels, and no other one', async () => {
  await using blue = await startUpstream('blue')
  await using edge = await startEdge()
  edge.route({ hosts: ['app.test'], targets: [blue.url] })
  edge.plane.certificates.set('app', bundleOf(AUTHORITY.issue('app.test')))
  const held = edge.client()
  held.send(get('/hold'))
  await eventually('a request is held', () => blue.held() === 1)
  expect(statusOf(await edge.ask(getAndClose()))).toBe(200)
  expect(statusOf(await edge.ask(getAndClose().replace('app.test', 'nobody.test')))).toBe(404)

  const found = readExposition(metricsText({ ...numbers, dataPlane: edge.plane }))
  const shown = [...found].map(([name, { samples }]) => {
    expect(samples, `${name} has a value`).not.toEqual([])
    return sayMetric(name, Object.keys(samples[0]?.labels ?? {}))
  })
  expect(shown.toSorted()).toEqual(metricsIn(await readFile(DOCUMENT, 'utf8')).toSorted())

  const about = { service: 'web', release: 'r1', revision: '1' }
  expect(found.get('gatehouse_http_in_flight_requests')?.samples).toEqual([
    { labels: about, value: 1 },
  ])
  expect(found.get('gatehouse_http_requests_total')?.samples).toContainEqual({
    labels: { ...about, code: '2xx' },
    value: 1,
  })
  blue.release()
  await held.sees('blue')
})

it('I14 what is shown and cannot be in a label or a line is escaped', () => {
  const nothing: MetricsParts['dataPlane'] = {
    answers: () => [],
    certificates: { rows: () => [] },
    work: () => [],
    counters: createCounters(),
  }
  const id = 'a "quoted" \\ name\nof two lines'
  const text = metricsText({ ...numbers, id, dataPlane: nothing })
  expect(readExposition(text).get('gatehouse_build_info')?.samples[0]?.labels).toMatchObject({
    proxy: id,
  })
})

it('L9 I14 says for how long the table has been without confirmation, and never less than nothing', async () => {
  await using edge = await startEdge()
  const secondsAt = (sinceMs: number): number | undefined => {
    const view = { ...numbers.view, stale: { why: 'Redis cannot be reached', sinceMs } }
    const text = metricsText({ ...numbers, view, dataPlane: edge.plane })
    return readExposition(text).get('gatehouse_route_table_stale_seconds')?.samples[0]?.value
  }
  expect(secondsAt(2_000)).toBe(3)
  expect(secondsAt(9_000)).toBe(0)
})

/** The metrics that the document has in its tables, as `name{label,…}`. */
const metricsIn = (document: string): readonly string[] => {
  const section = document.slice(0, document.indexOf('## Coming from elsewhere'))
  return section.split('\n').flatMap((line) => {
    const [, names = ''] = line.split('|')
    const found = [...names.matchAll(/`((?:gatehouse|…)[a-z0-9_]*)(?:\{([a-z,]*)\})?`/g)]
    // `…_total` goes on from the first name of its row.
    const [, stem = ''] = found[0] ?? []
    return found.map(([, name = '', labels = '']) =>
      sayMetric(name.replace('…', stem), labels === '' ? [] : labels.split(',')),
    )
  })
}

const sayMetric = (name: string, labels: readonly string[]): string =>
  labels.length === 0 ? name : `${name}{${labels.join(',')}}`
