import { describe, expect, it } from 'vitest'
import { deploy, openFleet } from './fleet.ts'
import { answering, deadUrl, startUpstream, type Upstream } from './upstream.ts'

/** Answers 200, but not before it is told to. */
const hold = (upstream: Upstream): { readonly release: () => void } => {
  const held = Promise.withResolvers<void>()
  upstream.answer = (_request, response) => {
    void held.promise.then(() => response.writeHead(200).end())
  }
  return { release: held.resolve }
}

describe('a worker and a deploy', { concurrent: true }, () => {
  it('B12 nothing is checked while no worker runs; one that starts later finishes the deploy', async () => {
    await using fleet = await openFleet()
    await using app = await startUpstream()
    await fleet.submit(deploy('web', 'blue', [app.url]))
    expect((await fleet.history()).map((event) => event.type)).toEqual(['ReleaseDeclared'])
    expect(app.requests).toHaveLength(0)

    fleet.startWorker()
    await fleet.until('ReleaseActivated', { release: 'blue' })
    expect(app.requests).toHaveLength(1)
  })

  it('B1 a redirect to a dead URL passes; 404 and 500 fail with what was answered', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    const dead = await deadUrl()
    await using redirecting = await startUpstream(answering(302, { location: dead }))
    await fleet.submit(deploy('a', 'blue', [redirecting.url]))
    await fleet.until('ReleaseActivated', { service: 'a' })

    for (const status of [404, 500]) {
      await using failing = await startUpstream(answering(status, {}, 'no such thing'))
      await fleet.submit(deploy('a', `s${status}`, [failing.url], { timeoutMs: 200 }))
      const { failure } = await fleet.until('ReleaseFailed', { release: `s${status}` })
      expect(failure).toMatchObject({
        kind: 'unhealthy',
        target: failing.url,
        status,
        reason: `GET ${failing.url}/up answered ${status}, expected 200-399`,
        excerpt: 'no such thing',
      })
    }
    expect((await fleet.service('a')).active).toBe(1)
  })

  it('B2 a target that never answers fails at about the timeout, not a second later', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    await using app = await startUpstream(() => {})
    await fleet.submit(deploy('web', 'blue', [app.url], { timeoutMs: 1_000 }))
    const started = performance.now()
    const { failure } = await fleet.until('ReleaseFailed')
    expect(performance.now() - started).toBeLessThan(2_000)
    if (failure.kind !== 'unhealthy') throw new Error(`expected unhealthy, not ${failure.kind}`)
    expect(failure.tookMs).toBeGreaterThanOrEqual(990)
    expect(failure.reason).toBe(`GET ${app.url}/up did not answer within 1000 ms`)
  })

  it('B7 with one of two targets dead, only the live one is left when any is enough', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    await using app = await startUpstream()
    const dead = await deadUrl()
    const any = { require: 'any', timeoutMs: 300 } as const
    await fleet.submit(deploy('web', 'blue', [dead, app.url], any))
    expect(await fleet.until('ReleasePassed')).toMatchObject({ failing: [dead] })
    await fleet.until('ReleaseActivated')
    expect((await fleet.service('web')).releases[0]?.ejected).toEqual([dead])

    await fleet.submit(deploy('api', 'blue', [dead], any))
    expect((await fleet.until('ReleaseFailed', { service: 'api' })).failure).toMatchObject({
      reason: `GET ${dead}/up was refused`,
    })
  })

  it('A18 a health result that comes after a newer deploy is active changes nothing', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    await using slow = await startUpstream()
    await using quick = await startUpstream()
    const held = hold(slow)
    await fleet.submit(deploy('web', 'slow', [slow.url]))
    await expect.poll(() => slow.requests.length).toBe(1)
    await fleet.submit(deploy('web', 'quick', [quick.url]))
    await fleet.until('ReleaseActivated', { release: 'quick' })
    held.release()

    const late = await fleet.submit({
      type: 'ReportHealth',
      service: 'web',
      generation: 1,
      outcome: { kind: 'passed', attempts: 1, tookMs: 1, failing: [] },
    })
    expect(late.kind).toBe('nothing-to-do')
    expect((await fleet.history()).map((event) => event.type)).toEqual([
      'ReleaseDeclared',
      'ReleaseSuperseded',
      'ReleaseDeclared',
      'ReleasePassed',
      'ReleaseActivated',
    ])
  })

  it('a gate that nobody needs any more asks its target nothing more', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    await using old = await startUpstream(answering(503))
    await using next = await startUpstream()
    await fleet.submit(deploy('web', 'old', [old.url], { timeoutMs: 60_000, intervalMs: 20 }))
    await expect.poll(() => old.requests.length).toBeGreaterThan(2)
    await fleet.submit(deploy('web', 'next', [next.url]))
    await fleet.until('ReleaseActivated', { release: 'next' })
    const asked = old.requests.length
    // Long enough for a dozen attempts at the old one.
    next.answer = answering(503)
    await fleet.submit(deploy('api', 'blue', [next.url], { timeoutMs: 300 }))
    await fleet.until('ReleaseFailed', { service: 'api' })
    expect(old.requests.length - asked).toBeLessThanOrEqual(1)
  })

  it('several workers check a release once', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    fleet.startWorker()
    await using app = await startUpstream()
    for (let turn = 1; turn <= 10; turn += 1) {
      await fleet.submit(deploy('web', `r${turn}`, [app.url]))
      await fleet.until('ReleaseActivated', { release: `r${turn}` })
    }
    const events = await fleet.history()
    expect(events.filter((event) => event.type === 'ReleasePassed')).toHaveLength(10)
    expect(app.requests.length).toBe(10)
  })

  it('B9 a target that dies is ejected, and restored when it is back', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    await using steady = await startUpstream()
    await using dying = await startUpstream()
    const thresholds = { intervalMs: 50, rise: 2, fall: 3 }
    await fleet.submit(deploy('web', 'blue', [steady.url, dying.url], thresholds))
    await fleet.until('ReleaseActivated')

    await dying.kill()
    const ejected = await fleet.until('TargetEjected')
    expect(ejected).toMatchObject({
      target: dying.url,
      reason: expect.stringMatching(/^GET .* was (refused|cut off)/),
    })
    expect((await fleet.service('web')).releases[0]?.ejected).toEqual([dying.url])

    await dying.revive()
    expect(await fleet.until('TargetRestored')).toMatchObject({ target: dying.url })
    const changes = (await fleet.history()).filter((event) => event.type.startsWith('Target'))
    expect(changes.map((event) => event.type)).toEqual(['TargetEjected', 'TargetRestored'])
  })
})
