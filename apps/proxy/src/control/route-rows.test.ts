import {
  createHostTable,
  HEALTH_DEFAULTS,
  LIMIT_DEFAULTS,
  setHost,
  type Route,
  type Traffic,
} from '@gatehouse/domain'
import { expect, it } from 'vitest'
import { routeRows, type RouteRowsParts } from './route-rows.ts'

const route = (
  service: string,
  hosts: readonly string[],
  targets: readonly string[],
  { ejected = [], traffic = { mode: 'running' } }: { ejected?: string[]; traffic?: Traffic } = {},
): Route => ({
  service,
  hosts,
  traffic,
  drains: [],
  active:
    targets.length === 0
      ? undefined
      : {
          revision: 7,
          ejected,
          release: {
            id: 'v7',
            hosts,
            targets: targets.map((url) => ({ url })),
            health: HEALTH_DEFAULTS,
            drainMs: 30_000,
            limits: LIMIT_DEFAULTS,
            hostHeader: 'preserve',
            metadata: {},
          },
        },
})

const rowsOf = (routes: readonly Route[], work: RouteRowsParts['work'] = () => []) => {
  const hosts = createHostTable<{ readonly route: Route }>()
  for (const each of routes) for (const host of each.hosts) setHost(hosts, host, { route: each })
  return routeRows({ hosts, work })
}

it('A27 lists a row per host and target, by host, with wildcards and the default', () => {
  const rows = rowsOf([
    route('shop', ['shop.test', '*.shop.test'], ['http://10.0.0.1', 'http://10.0.0.2']),
    route('rest', ['default'], ['unix:/run/rest.sock']),
    route('api', ['api.test'], ['http://10.0.0.3']),
  ])
  expect(rows.map(({ host, service, target }) => `${host} ${service} ${target}`)).toEqual([
    '*.shop.test shop http://10.0.0.1',
    '*.shop.test shop http://10.0.0.2',
    'api.test api http://10.0.0.3',
    'default rest unix:/run/rest.sock',
    'shop.test shop http://10.0.0.1',
    'shop.test shop http://10.0.0.2',
  ])
})

it('A27 says of each what state it is in', () => {
  const one = ['http://10.0.0.1']
  const stateOf = (each: Route) => rowsOf([each]).map(({ state }) => state)
  expect(stateOf(route('a', ['a.test'], []))).toEqual(['no active release'])
  expect(stateOf(route('b', ['b.test'], one))).toEqual(['active'])
  const two = route('c', ['c.test'], [...one, 'http://10.0.0.2'], { ejected: ['http://10.0.0.2'] })
  expect(stateOf(two)).toEqual(['active', 'ejected'])
  const paused: Traffic = { mode: 'paused', holdMs: 1_000 }
  expect(stateOf(route('d', ['d.test'], one, { traffic: paused }))).toEqual(['paused'])
  const stopped: Traffic = { mode: 'stopped', message: '' }
  expect(stateOf(route('e', ['e.test'], one, { traffic: stopped }))).toEqual(['stopped'])
})

it('A27 counts the work of the active release alone, sockets with requests', () => {
  const work = (revision: number, requests: number, upgraded: number) => ({
    service: 'shop',
    release: `v${revision}`,
    revision,
    requests,
    upgraded,
    cut: 0,
    draining: revision !== 7,
  })
  const rows = rowsOf([route('shop', ['shop.test'], ['http://10.0.0.1'])], () => [
    work(6, 5, 0),
    work(7, 2, 1),
  ])
  expect(rows).toMatchObject([{ release: 'v7', inFlight: 3 }])
})
