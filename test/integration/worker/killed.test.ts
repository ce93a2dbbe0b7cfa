import { describe, expect, it } from 'vitest'
import { holding, switchAway } from './draining.ts'
import { deploy, openFleet } from './fleet.ts'
import { answering, startUpstream } from './upstream.ts'

/** A killed worker's turn is somebody else's after its lock has run out and two checks. */
const RESUMED_WITHIN_MS = 6_000

describe('a worker that dies', { concurrent: true }, () => {
  it('L10 killed in the middle of a gate leaves it to another worker, which finishes it', async () => {
    await using fleet = await openFleet()
    await using app = await startUpstream(answering(503))
    const first = fleet.spawnWorker()
    await first.ready
    await fleet.submit(deploy('web', 'blue', [app.url], { timeoutMs: 15_000 }))
    await expect.poll(() => app.requests.length).toBeGreaterThan(1)
    fleet.startWorker()
    await first.end('SIGKILL')
    app.answer = answering(200)
    const killed = performance.now()
    await fleet.until('ReleaseActivated')
    expect(performance.now() - killed).toBeLessThan(RESUMED_WITHIN_MS)
    expect((await fleet.history()).filter(({ type }) => type === 'ReleasePassed')).toHaveLength(1)
  })

  it('L10 killed while it watches a drain leaves the watch to another worker', async () => {
    await using fleet = await openFleet()
    const proxy = await fleet.startProxy('p1')
    const first = fleet.spawnWorker()
    await first.ready
    const position = await switchAway(fleet)
    await proxy.say({ position, work: holding({ upgraded: 1 }) })
    await expect.poll(() => fleet.turns()).toBe(1)
    fleet.startWorker()
    await first.end('SIGKILL')
    await proxy.say({ work: [] })
    const { outcome } = await fleet.until('DrainEnded', {}, RESUMED_WITHIN_MS)
    expect(outcome).toEqual({ kind: 'drained', unreachable: [] })
  })

  it('L10 killed as the only one leaves gates and drains to the next that is started', async () => {
    await using fleet = await openFleet()
    await using slow = await startUpstream(answering(503))
    const proxy = await fleet.startProxy('p1')
    const first = fleet.spawnWorker()
    await first.ready
    const position = await switchAway(fleet)
    await proxy.say({ position, work: holding({ upgraded: 1 }) })
    await fleet.submit(deploy('api', 'blue', [slow.url], { timeoutMs: 15_000 }))
    await expect.poll(() => slow.requests.length).toBeGreaterThan(1)
    await first.end('SIGKILL')

    await proxy.say({ work: [] })
    slow.answer = answering(200)
    fleet.startWorker()
    await Promise.all([
      fleet.until('DrainEnded', {}, RESUMED_WITHIN_MS),
      fleet.until('ReleaseActivated', { service: 'api' }, RESUMED_WITHIN_MS),
    ])
  })

  it('told to stop, hands a running gate over at once instead of failing it', async () => {
    await using fleet = await openFleet()
    await using app = await startUpstream(answering(503))
    const first = fleet.spawnWorker()
    await first.ready
    await fleet.submit(deploy('web', 'blue', [app.url], { timeoutMs: 15_000 }))
    await expect.poll(() => app.requests.length).toBeGreaterThan(1)
    const second = fleet.spawnWorker()
    await second.ready
    const told = performance.now()
    expect(await first.end('SIGTERM')).toBe(0)
    app.answer = answering(200)
    const passed = await fleet.until('ReleasePassed')
    expect(performance.now() - told).toBeLessThan(2_000)
    // It went on counting; at most the attempt that the hand-over called off is not counted.
    expect(passed.attempts).toBeGreaterThanOrEqual(app.requests.length - 1)
  })
})
