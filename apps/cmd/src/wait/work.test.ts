import { expect, it } from 'vitest'
import { sayWork, workOf, workOfService } from './work.ts'

type Proxies = Parameters<typeof workOf>[0]
type Proxy = Proxies['proxies'][number]

const work = (service: string, revision: number, requests: number, upgraded = 0) => ({
  service,
  release: `r${revision}`,
  revision,
  requests,
  upgraded,
  cut: 0,
})

const proxy = (id: string, held: Proxy['work'], live = true): Proxy => ({
  kind: 'proxy',
  id,
  host: 'machine',
  pid: 1,
  version: '0.1.0',
  listen: [],
  position: 1,
  tableHash: '',
  receipts: [],
  quarantined: 0,
  work: held,
  startedAt: 0,
  stopping: false,
  seenMsAgo: 0,
  live,
})

const fleet: Proxies = {
  proxies: [
    proxy('a', [work('shop', 1, 2), work('shop', 2, 1, 1), work('blog', 1, 5)]),
    proxy('b', [work('shop', 2, 0)]),
    proxy('c', [work('shop', 1, 1)]),
    proxy('lost', [work('shop', 1, 9)], false),
  ],
}

it('L3 work in flight is counted over the live proxies, per release and per service', () => {
  expect(workOf(fleet, 'shop', 1)).toEqual([
    { proxy: 'a', requests: 2, upgraded: 0 },
    { proxy: 'c', requests: 1, upgraded: 0 },
  ])
  expect(workOfService(fleet, 'shop')).toEqual([
    { proxy: 'a', requests: 3, upgraded: 1 },
    { proxy: 'c', requests: 1, upgraded: 0 },
  ])
  expect(workOf(fleet, 'shop', 3)).toEqual([])
})

it('work in flight is said with where it is', () => {
  expect(sayWork(workOfService(fleet, 'shop'))).toBe('4 requests and 1 upgraded connection on a, c')
  expect(sayWork([{ proxy: 'a', requests: 0, upgraded: 2 }])).toBe('2 upgraded connections on a')
  expect(sayWork([{ proxy: 'a', requests: 1, upgraded: 0 }])).toBe('1 request on a')
})
