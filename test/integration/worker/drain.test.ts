import { LEASE_MS } from '@gatehouse/events'
import { describe, expect, it } from 'vitest'
import { holding, switchAway } from './draining.ts'
import { openFleet, type TestProxy } from './fleet.ts'

const settle = (proxies: readonly TestProxy[], position: number): Promise<void[]> =>
  Promise.all(proxies.map((proxy) => proxy.say({ position, work: [] })))

describe('a worker and a drain', { concurrent: true }, () => {
  it('A10 an idle release is drained at once', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    const proxy = await fleet.startProxy('p1')
    const position = await switchAway(fleet)
    await proxy.say({ position })
    const applied = performance.now()
    const ended = await fleet.until('DrainEnded')
    expect(ended).toMatchObject({ release: 'blue', outcome: { kind: 'drained', unreachable: [] } })
    expect(performance.now() - applied).toBeLessThan(3_000)
  })

  it('A8 a drain ends when the last proxy holds nothing, and not before', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    const busy = await fleet.startProxy('busy')
    const behind = await fleet.startProxy('behind')
    const position = await switchAway(fleet)
    await busy.say({ position, work: holding({ requests: 1, upgraded: 1 }) })
    await busy.say({ work: holding({ upgraded: 1 }) })
    await expect(fleet.until('DrainEnded', {}, 400)).rejects.toThrow('No DrainEnded')
    await busy.say({ work: [] })
    await expect(fleet.until('DrainEnded', {}, 400)).rejects.toThrow('No DrainEnded')
    await settle([behind], position)
    expect(await fleet.until('DrainEnded')).toMatchObject({ outcome: { kind: 'drained' } })
  })

  it('A9 work that was cut at the deadline makes the drain timed out, with its number', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    const first = await fleet.startProxy('p1')
    const second = await fleet.startProxy('p2')
    const position = await switchAway(fleet)
    await first.say({ position, work: holding({ cut: 2 }) })
    await second.say({ position, work: holding({ cut: 1 }) })
    expect((await fleet.until('DrainEnded')).outcome).toEqual({
      kind: 'timed-out',
      cut: 3,
      unreachable: [],
    })
  })

  it('L3 a proxy that falls silent holds a drain up until its lease is over, and is named', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    const lost = await fleet.startProxy('lost', holding({ requests: 1 }))
    const proxy = await fleet.startProxy('p1')
    const position = await switchAway(fleet)
    await lost.say({ position, work: holding({ requests: 1 }) })
    lost.silence()
    const silentSince = performance.now()
    await settle([proxy], position)
    const { outcome } = await fleet.until('DrainEnded', {}, LEASE_MS + 4_000)
    expect(performance.now() - silentSince).toBeGreaterThan(LEASE_MS - 200)
    expect(outcome).toEqual({ kind: 'drained', unreachable: ['lost'] })
  })

  it('a drain without any proxy is over at once', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    await switchAway(fleet)
    expect(await fleet.until('DrainEnded', {}, 3_000)).toMatchObject({
      outcome: { kind: 'drained' },
    })
  })
})
