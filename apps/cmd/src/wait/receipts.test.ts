import { describe, expect, it } from 'vitest'
import { receiptsAt, sayLaggards, statisticsOf } from './receipts.ts'

type Proxies = Parameters<typeof receiptsAt>[0]
type Proxy = Proxies['proxies'][number]

const proxy = (id: string, position: number, change: Partial<Proxy> = {}): Proxy => ({
  kind: 'proxy',
  id,
  host: 'machine',
  pid: 1,
  version: '0.1.0',
  listen: ['127.0.0.1:8080'],
  position,
  tableHash: 'hash',
  receipts: [],
  quarantined: 0,
  work: [],
  startedAt: 0,
  stopping: false,
  seenMsAgo: 10,
  live: true,
  ...change,
})

const event = { position: 10, at: 1_000 }

describe('receipts', () => {
  it('L1 count every live proxy at or past the position, with the time it took', () => {
    const proxies = [
      proxy('a', 10, { receipts: [{ position: 10, at: 1_003 }] }),
      proxy('b', 14, {
        receipts: [
          { position: 14, at: 1_050 },
          { position: 12, at: 1_020 },
        ],
      }),
      proxy('c', 11),
    ]
    expect(receiptsAt({ proxies }, event, new Set(['a', 'b', 'c']))).toEqual({
      position: 10,
      proxies: [{ id: 'a', tookMs: 3 }, { id: 'b', tookMs: 20 }, { id: 'c' }],
      laggards: [],
    })
  })

  it('L1 A20 name a live proxy that is behind, and one whose lease ran out while we waited', () => {
    const proxies = [
      proxy('behind', 9),
      proxy('lost', 7, { live: false }),
      proxy('gone', 3, { live: false }),
    ]
    const { laggards } = receiptsAt({ proxies }, event, new Set(['behind', 'lost']))
    expect(laggards.map(({ id, why }) => [id, why])).toEqual([
      ['behind', 'behind'],
      ['lost', 'lost'],
    ])
    expect(sayLaggards(laggards)).toBe('behind (is at 9), lost (its lease ran out at position 7)')
  })

  it('never count a clock that is a little behind as a negative time', () => {
    const proxies = [proxy('a', 10, { receipts: [{ position: 10, at: 999 }] })]
    expect(receiptsAt({ proxies }, event, new Set(['a'])).proxies).toEqual([{ id: 'a', tookMs: 0 }])
  })

  it('L1 give the median, the 99th percentile and the maximum by nearest rank', () => {
    const took = Array.from({ length: 200 }, (_, index) => ({
      id: `p${index}`,
      tookMs: 200 - index,
    }))
    expect(statisticsOf(took)).toEqual({ p50Ms: 100, p99Ms: 198, maxMs: 200 })
    expect(statisticsOf([{ id: 'a', tookMs: 3 }, { id: 'b' }])).toEqual({
      p50Ms: 3,
      p99Ms: 3,
      maxMs: 3,
    })
    expect(statisticsOf([])).toBeUndefined()
  })
})
