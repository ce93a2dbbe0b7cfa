/** Which host leads where, and who checks health: as real proxies do it. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startFleet, type TestFleet, type TestProxy } from '../support/fleet.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let fleet: TestFleet
let proxy: TestProxy
let blue: Upstream
let green: Upstream

beforeAll(async () => {
  blue = await startUpstream('blue')
  green = await startUpstream('green')
  fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 1, workers: 0 })
  proxy = fleet.proxy('proxy-1')
})
afterAll(async () => {
  await fleet[Symbol.asyncDispose]()
  await Promise.all([blue.stop(), green.stop()])
})

describe('before there is a worker', () => {
  it('A27 says so when there is no route', async () => {
    expect((await fleet.cmd('routes')).stdout).toContain('no routes')
    expect((await fleet.cmd('routes', '--url', proxy.adminUrl)).stdout).toContain('no routes')
  })

  it('B12 a deploy says that nobody checks, exits 4, and is taken up by the first worker', async () => {
    const flags = ['--host', 'exact.test', '--target', blue.url, '--release', 'blue']
    const ran = await fleet.cmd(
      'deploy',
      'exact',
      ...flags,
      '--deploy-timeout',
      '2s',
      '--timeout',
      '0',
    )
    expect(ran.exit).toBe(4)
    expect(ran.stderr).toContain('no worker is running')
    expect((await proxy.ask('exact.test')).status).toBe(404)
    expect(blue.healthChecks()).toBe(0)

    await fleet.startWorker()
    await eventually('blue serves', async () => (await proxy.ask('exact.test')).body === 'blue')
    expect(blue.healthChecks()).toBeGreaterThan(0)
  })
})

describe('hosts', () => {
  it('C1 are matched without port, in any case, with or without a trailing dot', async () => {
    for (const host of ['exact.test', 'EXACT.test:8443', 'exact.test.', 'Exact.Test.:80']) {
      expect(await proxy.ask(host), `Host: ${host}`).toMatchObject({ status: 200, body: 'blue' })
    }
    expect((await proxy.ask('EXACT.test:8443', '/host')).body).toBe('EXACT.test:8443')
  })

  it('C2 that are unknown are answered 404', async () => {
    expect(await proxy.ask('nobody.test')).toMatchObject({ status: 404 })
  })

  it('C4 the exact name wins, then the longest wildcard, and none covers its own parent', async () => {
    const long = { label: 'long', url: green.url }
    await fleet.deploy('wild', '*.wild.test', blue)
    await fleet.deploy('deep', '*.deep.wild.test', long)
    await fleet.deploy('one', 'one.deep.wild.test', blue)
    expect((await proxy.ask('a.wild.test')).body).toBe('blue')
    expect((await proxy.ask('a.deep.wild.test')).body).toBe('green')
    expect((await proxy.ask('one.deep.wild.test')).body).toBe('blue')
    expect((await proxy.ask('wild.test')).status).toBe(404)
  })

  it('C3 default answers for every host that nobody names', async () => {
    await fleet.deploy('rest', 'default', green)
    expect(await proxy.ask('nobody.test')).toMatchObject({ status: 200, body: 'green' })
    expect(await proxy.ask('exact.test')).toMatchObject({ status: 200, body: 'blue' })
  })
})
