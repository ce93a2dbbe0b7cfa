/** Proxies that come, go, fall silent and meet events that nobody understands. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { ask } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startFleet, type TestFleet } from '../support/fleet.ts'
import { snapshotAndTrim } from '../support/trim.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const STOP_MS_MAX = 3_000

let fleet: TestFleet
let blue: Upstream
let green: Upstream

beforeAll(async () => {
  blue = await startUpstream('blue')
  green = await startUpstream('green')
  fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 5 })
})
afterAll(async () => {
  await fleet[Symbol.asyncDispose]()
  await Promise.all([blue.stop(), green.stop()])
})

describe('five proxies', () => {
  it('L1 L4 A20 every one of them confirms, and all have the table that the log gives', async () => {
    const ran = await fleet.deploy('shop', 'shop.test', blue)
    expect(ran.stdout).toMatch(/applied by 5 of 5 proxies: p50 .+, p99 .+, max .+\n/)
    for (const { id } of fleet.proxies()) expect(ran.stdout).toMatch(new RegExp(`\n  ${id}  `))
    for (const proxy of fleet.proxies()) expect((await proxy.ask('shop.test')).body).toBe('blue')

    await fleet.deploy('shop', 'shop.test', green)
    const agreed = await fleet.agreed()
    expect(agreed.map(({ id }) => id)).toEqual(fleet.proxies().map(({ id }) => id))
  })

  it('L1 A20 one that hangs is told by name, with exit 4, and the others serve', async () => {
    const hanging = fleet.proxy('proxy-3')
    hanging.signal('SIGSTOP')
    try {
      const flags = ['--host', 'shop.test', '--target', blue.url, '--timeout', '800ms']
      const ran = await fleet.cmd('deploy', 'shop', ...flags)
      expect(ran.exit).toBe(4)
      expect(ran.stderr).toMatch(/not every proxy is at position \d+: proxy-3 \(is at \d+\)/)
      expect(ran.stdout).toContain('applied by 4 of 5 proxies')
      expect((await fleet.proxy('proxy-4').ask('shop.test')).body).toBe('blue')
    } finally {
      hanging.signal('SIGCONT')
    }
    await eventually(
      'it has caught up',
      async () => (await hanging.ask('shop.test')).body === 'blue',
    )
  })

  it('A27 routes lists them sorted, as the fleet and as a running proxy has them', async () => {
    await fleet.deploy('api', 'z.test,*.a.test', green)
    const { active: shop } = Object(await fleet.json('show', 'shop'))
    const rows = [
      { host: '*.a.test', service: 'api', release: 'green', target: green.url },
      { host: 'shop.test', service: 'shop', release: shop, target: blue.url },
      { host: 'z.test', service: 'api', release: 'green', target: green.url },
    ]
    expect(await fleet.json('routes')).toEqual(rows)
    const { adminUrl } = fleet.proxy('proxy-2')
    expect(await fleet.json('routes', '--url', adminUrl)).toMatchObject(rows)
    const { stdout } = await fleet.cmd('routes', '--url', adminUrl)
    expect(stdout).toMatch(
      /^host +service +release +target +state +in flight *\n\*\.a\.test +api +green/i,
    )
  })
})

describe('a proxy', () => {
  it('A21 that was killed is started again and serves the same, without a deploy', async () => {
    await fleet.deploy('kept', 'kept.test', blue)
    const position = await fleet.position()
    await fleet.proxy('proxy-1').stop('SIGKILL')
    const again = await fleet.startProxy('proxy-1')
    expect((await again.ask('kept.test')).body).toBe('blue')
    expect(await fleet.position()).toBe(position)
    await fleet.agreed()
  })

  it('A24 L12 with an empty disk gets the same table from a snapshot and a trimmed log', async () => {
    await fleet.deploy('early', 'early.test', blue)
    const kept = await fleet.position()
    expect(await snapshotAndTrim(fleet)).toBe(kept - 1)
    expect(await fleet.events('shop')).toEqual([])
    await fleet.deploy('late', 'late.test', green)

    await using fresh = await fleet.startProxy('fresh')
    expect((await fresh.ask('early.test')).body).toBe('blue')
    expect((await fresh.ask('late.test')).body).toBe('green')
    expect((await fleet.agreed()).map(({ id }) => id)).toContain('fresh')
  })

  it('A25 L13 passes over what it does not understand, counts it, and goes on', async () => {
    await fleet.appendByHand('body', '{"type":"ReleaseTeleported","v":1,"data":{}}')
    await fleet.appendByHand('body', 'not even JSON')
    await fleet.appendByHand('nonsense', '1')
    await fleet.deploy('after', 'after.test', blue)
    for (const proxy of fleet.proxies()) {
      expect((await proxy.ask('after.test')).body).toBe('blue')
      expect((await proxy.ask('shop.test')).body).toBe('blue')
      expect(await proxy.metric('gatehouse_events_quarantined_total')).toBe(3)
    }
    expect(await fleet.json('fleet')).toMatchObject({ quarantined: { total: 3 } })
    await fleet.agreed()
    await using fresh = await fleet.startProxy('fresh-too')
    expect((await fresh.ask('after.test')).body).toBe('blue')
    await fleet.agreed()
  })

  it('I4 is alive at once, ready with its first table, and leaves /health to the release', async () => {
    await fleet.deploy('own', 'own.test', blue)
    const proxy = fleet.proxy('proxy-4')
    expect(await proxy.admin('/healthz')).toMatchObject({ status: 200 })
    expect(await proxy.admin('/readyz')).toMatchObject({ status: 200 })
    expect(await proxy.ask('own.test', '/health')).toMatchObject({ status: 200, body: 'fine' })

    const admin = '127.0.0.1:29917'
    await using lost = fleet.launchProxy('lost', {
      GATEHOUSE_ADMIN: admin,
      GATEHOUSE_REDIS_URL: 'redis://127.0.0.1:9',
    })
    const alive = await eventually(
      'it is alive',
      async () => (await fetch(`http://${admin}/healthz`)).status === 200,
      20_000,
    )
    expect(alive).toBe(true)
    const ready = await fetch(`http://${admin}/readyz`)
    expect(ready.status).toBe(503)
    expect(await ready.text()).toContain('has no routes yet')

    // It waits for a Redis that never answers, and still ends when it is told to.
    const toldAt = performance.now()
    expect(await lost.stop()).toMatchObject({ exit: 0 })
    expect(performance.now() - toldAt).toBeLessThan(STOP_MS_MAX)
  })

  it('I8 that is told to stop lets go of its port, ends what is in flight, and ends in time', async () => {
    await fleet.deploy('long', 'long.test', blue)
    await using leaving = await fleet.startProxy('leaving')
    const held = leaving.ask('long.test', '/hold')
    await eventually('blue holds a request', () => blue.held() === 1)
    leaving.signal('SIGTERM')
    await eventually('new connections are refused', async () => {
      const error: unknown = await leaving.ask('long.test').then(
        () => undefined,
        (reason: unknown) => reason,
      )
      return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
    })
    expect(leaving.running()).toBe(true)
    blue.release()
    const releasedAt = performance.now()
    expect(await held).toMatchObject({ status: 200, body: 'blue' })
    expect(await leaving.finished).toMatchObject({ exit: 0 })
    expect(performance.now() - releasedAt).toBeLessThan(STOP_MS_MAX)
    expect((await fleet.members()).map(({ id }) => id)).not.toContain('leaving')
  })

  it('L14 that is killed is not noticed by a client that tries the next address', async () => {
    await fleet.deploy('name', 'name.test', green)
    const [doomed, next] = [fleet.proxy('proxy-5'), fleet.proxy('proxy-2')]
    const nextAddress = async (): Promise<string> => {
      for (const { port } of [doomed, next]) {
        const answer = await ask(port, { host: 'name.test' }).catch(() => undefined)
        if (answer !== undefined) return answer.body
      }
      return 'nobody answers'
    }
    expect(await nextAddress()).toBe('green')
    await doomed.stop('SIGKILL')
    expect(await nextAddress()).toBe('green')
  })
})
