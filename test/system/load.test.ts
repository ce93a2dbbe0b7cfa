/** What a switch costs those who are asking meanwhile: nothing. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startFleet, type TestFleet } from '../support/fleet.ts'
import { startLoad } from '../support/load.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const SWITCHES = 200
/** After every so many switches, so many more answers are waited for. */
const LOOK_EVERY = 10
const LOOKED_AT = 40

let fleet: TestFleet
let blue: Upstream
let green: Upstream
let ports: readonly number[]

beforeAll(async () => {
  blue = await startUpstream('blue')
  green = await startUpstream('green')
  fleet = await startFleet({ redisUrl: inject('redisUrl') })
  ports = fleet.proxies().map(({ port }) => port)
})
afterAll(async () => {
  await fleet[Symbol.asyncDispose]()
  await Promise.all([blue.stop(), green.stop()])
})

describe('under steady load', () => {
  it(
    `L2 I13 ${SWITCHES} switches lose no request, and none is answered by the old release after the receipts`,
    { timeout: 120_000 },
    async () => {
      for (const release of [blue, green]) await fleet.deploy('shop', 'shop.test', release)
      await using load = await startLoad({ ports, host: 'shop.test', accept: ['green'] })
      const startedAt = performance.now()
      let [active, other] = [green, blue]
      for (let round = 1; round <= SWITCHES; round += 1) {
        await load.accept('blue', 'green')
        expect(await fleet.cmd('switch', 'shop', other.label)).toMatchObject({ exit: 0 })
        ;[active, other] = [other, active]
        const drainedSaw = other.seen()
        const after = await load.accept(active.label)
        if (round % LOOK_EVERY === 0) await load.answers(LOOKED_AT)
        expect(after.failures, `after switch ${round}`).toEqual([])
        // The target itself says so, too: a release that is drained is asked nothing.
        expect(other.seen(), `${other.label} after switch ${round}`).toBe(drainedSaw)
      }
      const seconds = (performance.now() - startedAt) / 1_000
      await load.answers(100)
      const report = await load.stop()
      expect(report).toMatchObject({ failed: 0, failures: [] })
      expect(Math.min(...report.byPort)).toBeGreaterThan(SWITCHES)
      expect(report.answered).toBeGreaterThan(5 * SWITCHES)
      const served = JSON.stringify(report.byLabel)
      process.stdout.write(
        `${SWITCHES} switches in ${seconds.toFixed(1)} s: ${report.answered} requests served ${served}, none lost\n`,
      )
    },
  )

  it('A4 A5 a failed deploy costs no request, says why, and is forgotten after a good one', async () => {
    await fleet.deploy('news', 'news.test', blue)
    await using load = await startLoad({ ports, host: 'news.test', accept: ['blue'] })
    const flags = ['--host', 'news.test', '--release', 'dead', '--target', 'http://127.0.0.1:9']
    const quick = ['--deploy-timeout', '300ms', '--health-check-interval', '50ms']
    const failed = await fleet.cmd('deploy', 'news', ...flags, ...quick)
    expect(failed.exit).toBe(3)
    expect(failed.stderr).toContain('GET http://127.0.0.1:9/up')
    expect(failed.stderr).toContain('refused')
    const after = await load.answers(100)
    expect(after).toMatchObject({ failed: 0, failures: [], byLabel: { blue: after.answered } })
    expect(await fleet.json('show', 'news')).toMatchObject({
      active: 'blue',
      state: 'failed',
      lastFailure: {
        release: 'dead',
        failure: { kind: 'unhealthy', target: 'http://127.0.0.1:9' },
      },
    })
    await load.accept('blue', 'green')
    await fleet.deploy('news', 'news.test', green)
    await load.accept('green')
    await load.answers(100)
    expect(await load.stop()).toMatchObject({ failed: 0, failures: [] })
    const shown = await fleet.json('show', 'news')
    expect(shown).toMatchObject({ active: 'green', state: 'running' })
    expect(shown).not.toHaveProperty('lastFailure')
  })

  it('A6 a deploy loses no request: both releases answer during it, only the new one after it', async () => {
    await fleet.deploy('blog', 'blog.test', blue)
    await using load = await startLoad({ ports, host: 'blog.test', accept: ['blue'] })
    await load.answers(100)
    await load.accept('blue', 'green')
    await fleet.deploy('blog', 'blog.test', green)
    await load.accept('green')
    await load.answers(200)
    const report = await load.stop()
    expect(report).toMatchObject({ failed: 0, failures: [] })
    expect(report.byLabel['blue']).toBeGreaterThan(100)
    expect(report.byLabel['green']).toBeGreaterThan(100)
  })

  it('M13 a host moves to another service without one answer of 404', async () => {
    await fleet.deploy('old', 'moving.test', blue)
    await using load = await startLoad({ ports, host: 'moving.test', accept: ['blue'] })
    await load.accept('blue', 'green')
    await fleet.deploy('new', 'moving.test', green, '--take-over')
    await load.accept('green')
    await load.answers(200)
    expect(await load.stop()).toMatchObject({ failed: 0, failures: [] })
    expect(await fleet.json('list')).toContainEqual(
      expect.objectContaining({ service: 'new', hosts: ['moving.test'] }),
    )
  })
})
