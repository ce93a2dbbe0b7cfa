import { describe, expect, it } from 'vitest'
import { judgeDrain, type DrainVerdict, type ProxyView } from './drain-verdict.ts'

const drain = { service: 'web', revision: 3, drainMs: 30_000, position: 40, sinceMs: 1_000_000 }
const graceMs = 10_000

const work = (about: {
  requests?: number
  upgraded?: number
  cut?: number
  revision?: number
}) => ({
  service: 'web',
  revision: 3,
  requests: 0,
  upgraded: 0,
  cut: 0,
  ...about,
})

const proxy = (id: string, differs: Partial<ProxyView> = {}): ProxyView => ({
  id,
  position: 40,
  live: true,
  work: [],
  ...differs,
})

const judge = (proxies: readonly ProxyView[], afterMs = 0, drainMs?: 'infinity'): DrainVerdict =>
  judgeDrain(
    { now: drain.sinceMs + afterMs, proxies },
    { ...drain, ...(drainMs === undefined ? {} : { drainMs }) },
    graceMs,
  )

describe('a drain', () => {
  it('A10 is over when every live proxy has applied it and holds nothing', () => {
    expect(judge([proxy('a'), proxy('b', { position: 41 })])).toEqual({
      kind: 'ended',
      outcome: { kind: 'drained', unreachable: [] },
    })
  })

  it('waits for a live proxy that has not applied it, though it holds nothing now', () => {
    expect(judge([proxy('a'), proxy('b', { position: 39 })]).kind).toBe('waiting')
  })

  it('waits for requests and for upgraded connections', () => {
    expect(judge([proxy('a', { work: [work({ requests: 1 })] })]).kind).toBe('waiting')
    expect(judge([proxy('a', { work: [work({ upgraded: 1 })] })]).kind).toBe('waiting')
  })

  it('does not wait for the work of another revision or service', () => {
    const others = [
      work({ requests: 5, revision: 4 }),
      { ...work({ requests: 5 }), service: 'api' },
    ]
    expect(judge([proxy('a', { work: others })]).kind).toBe('ended')
  })

  it('says how much was cut, by all proxies together', () => {
    const proxies = [
      proxy('a', { work: [work({ cut: 2 })] }),
      proxy('b', { work: [work({ cut: 1 })] }),
    ]
    expect(judge(proxies)).toEqual({
      kind: 'ended',
      outcome: { kind: 'timed-out', cut: 3, unreachable: [] },
    })
    const stillCutting = [...proxies, proxy('c', { work: [work({ cut: 1, upgraded: 1 })] })]
    expect(judge(stillCutting).kind).toBe('waiting')
  })

  it('L3 is not held up by a proxy whose lease is over, and names it', () => {
    const gone = proxy('gone', { live: false, position: 12, work: [work({ requests: 7 })] })
    expect(judge([gone, proxy('a')])).toEqual({
      kind: 'ended',
      outcome: { kind: 'drained', unreachable: ['gone'] },
    })
  })

  it('is over at once when no proxy runs', () => {
    expect(judge([])).toEqual({ kind: 'ended', outcome: { kind: 'drained', unreachable: [] } })
  })

  it('ends after its deadline and a grace at last, and counts what is still held', () => {
    const proxies = [
      proxy('stuck', { work: [work({ requests: 1, upgraded: 1, cut: 1 })] }),
      proxy('behind', { position: 39 }),
    ]
    expect(judge(proxies, 39_999).kind).toBe('waiting')
    expect(judge(proxies, 40_000)).toEqual({
      kind: 'ended',
      outcome: { kind: 'timed-out', cut: 3, unreachable: ['behind'] },
    })
  })

  it('A11 without a deadline waits for as long as it takes', () => {
    const busy = proxy('a', { work: [work({ upgraded: 1 })] })
    expect(judge([busy], 365 * 86_400_000, 'infinity').kind).toBe('waiting')
  })
})
