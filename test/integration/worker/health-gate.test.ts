import { HEALTH_DEFAULTS, LIMIT_DEFAULTS, type HealthCheck, type Release } from '@gatehouse/domain'
import { describe, expect, it } from 'vitest'
import { newGate, runGate } from '../../../apps/worker/src/health-gate.ts'
import { answering, deadUrl, silent, startUpstream } from './upstream.ts'

const releaseOn = (targets: readonly string[], health: Partial<HealthCheck> = {}): Release => ({
  id: 'green',
  hosts: ['app.example.com'],
  targets: targets.map((url) => ({ url })),
  health: { ...HEALTH_DEFAULTS, ...health },
  drainMs: 1_000,
  limits: LIMIT_DEFAULTS,
  hostHeader: 'preserve',
  metadata: {},
})

const never = new AbortController().signal

describe('the health gate', { concurrent: true }, () => {
  it('B3 tries again after the interval until a target that starts late passes', async () => {
    await using app = await startUpstream(answering(503))
    setTimeout(() => (app.answer = answering(200)), 1_500)
    const release = releaseOn([app.url], { intervalMs: 200, timeoutMs: 5_000 })
    const result = await runGate(release, newGate, never)
    if (result.kind !== 'finished' || result.outcome.kind !== 'passed') {
      throw new Error(`expected it to pass, it is ${JSON.stringify(result)}`)
    }
    expect(result.outcome.tookMs).toBeGreaterThanOrEqual(1_400)
    expect(result.outcome.tookMs).toBeLessThan(2_500)
    expect(result.outcome.attempts).toBe(app.requests.length)
    expect(app.requests.length).toBeGreaterThanOrEqual(5)
    expect(app.requests.length).toBeLessThanOrEqual(9)
  })

  it('B2 fails at its timeout when no answer ever comes, though an attempt may take longer', async () => {
    await using app = await startUpstream(silent)
    const release = releaseOn([app.url], { timeoutMs: 700, attemptMs: 5_000 })
    const started = performance.now()
    const result = await runGate(release, newGate, never)
    expect(result).toMatchObject({
      kind: 'finished',
      outcome: {
        kind: 'failed',
        target: app.url,
        reason: `GET ${app.url}/up did not answer within 700 ms`,
        attempts: 1,
      },
    })
    const tookMs = performance.now() - started
    expect(tookMs).toBeGreaterThanOrEqual(690)
    expect(tookMs).toBeLessThan(1_700)
  })

  it('N4 reports what a target last said, not that the last attempt was cut short', async () => {
    await using app = await startUpstream(answering(503, {}, 'warming up'))
    app.answer = (request, response) => {
      if (app.requests.length <= 2) answering(503, {}, 'warming up')(request, response)
    }
    const release = releaseOn([app.url], { timeoutMs: 500, intervalMs: 50 })
    expect(await runGate(release, newGate, never)).toMatchObject({
      outcome: {
        kind: 'failed',
        status: 503,
        excerpt: 'warming up',
        reason: `GET ${app.url}/up answered 503, expected 200-399`,
        attempts: 3,
      },
    })
  })

  it('B7 with `any`, one healthy target is enough and the dead one is named', async () => {
    await using app = await startUpstream()
    const dead = await deadUrl()
    const release = releaseOn([dead, app.url], { require: 'any', timeoutMs: 300, intervalMs: 50 })
    expect(await runGate(release, newGate, never)).toMatchObject({
      outcome: { kind: 'passed', failing: [dead] },
    })
    expect(app.requests).toHaveLength(1)
  })

  it('B7 with `any`, a target that starts a moment later is not left out', async () => {
    await using first = await startUpstream()
    await using second = await startUpstream()
    await second.kill()
    setTimeout(() => void second.revive(), 200)
    const release = releaseOn([first.url, second.url], { require: 'any', intervalMs: 50 })
    const result = await runGate(release, newGate, never)
    expect(result).toMatchObject({ outcome: { kind: 'passed', failing: [] } })
  })

  it('B7 fails when all are dead, and with `all` when one is', async () => {
    await using app = await startUpstream()
    const dead = await deadUrl()
    const quick = { timeoutMs: 150, intervalMs: 50 }
    const results = await Promise.all([
      runGate(releaseOn([dead, dead], { ...quick, require: 'any' }), newGate, never),
      runGate(releaseOn([app.url, dead], { ...quick, require: 'all' }), newGate, never),
    ])
    for (const result of results) {
      expect(result).toMatchObject({
        outcome: { kind: 'failed', target: dead, reason: `GET ${dead}/up was refused` },
      })
    }
  })

  it('hands over what it knows, and the next worker has only the rest of the time', async () => {
    await using app = await startUpstream(answering(500))
    await using passing = await startUpstream()
    const release = releaseOn([passing.url, app.url], { timeoutMs: 800, intervalMs: 50 })
    const first = await runGate(release, newGate, AbortSignal.timeout(400))
    if (first.kind !== 'interrupted') throw new Error('expected it to be interrupted')
    expect(first.progress.spentMs).toBeGreaterThanOrEqual(390)
    const started = performance.now()
    const second = await runGate(release, first.progress, never)
    expect(performance.now() - started).toBeLessThan(700)
    expect(second).toMatchObject({ outcome: { kind: 'failed', target: app.url, status: 500 } })
    expect(passing.requests).toHaveLength(1)
  })
})
