import { LEASE_MS } from '@gatehouse/events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createFleet } from './fleet.ts'

const redisUrl = inject('redisUrl')
const quick = '--force --release blue --host shop.test --target http://127.0.0.1:9'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gh-cmd-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('deploy', () => {
  it('A1 A2 A3 takes a spec file and fills the defaults in', async () => {
    await using fleet = createFleet(redisUrl)
    const spec = { service: 'shop', hosts: [' Shop.TEST '], target_url: 'http://127.0.0.1:9' }
    writeFileSync(join(folder, 'spec.json'), JSON.stringify(spec))
    const ran = await fleet.cmd('deploy spec.json --no-wait', { cwd: folder })
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^shop: deploy accepted at position 1\n$/)
    const [known] = (await fleet.state()).table.gateway.services.get('shop')?.releases ?? []
    expect(known).toMatchObject({
      status: 'checking',
      release: {
        id: expect.stringMatching(/^\d{8}-\d{9}-[a-z0-9]{4}$/),
        hosts: ['shop.test'],
        drainMs: 30_000,
        health: { path: '/up', timeoutMs: 5_000 },
      },
    })
  })

  it('D19 says wherever it is shown that certificates are not verified', async () => {
    await using fleet = createFleet(redisUrl)
    const tls = { verify: false }
    const spec = { service: 'shop', hosts: ['a.test'], target_url: 'https://127.0.0.1:9', tls }
    writeFileSync(join(folder, 'tls.json'), JSON.stringify({ ...spec, skip_health_check: true }))
    const ran = await fleet.cmd('deploy tls.json --release blue --no-wait', { cwd: folder })
    expect(ran.exit).toBe(0)
    expect(ran.stdout + ran.stderr).toContain(
      'certificates of the targets of blue are not verified: tls.verify is false\n',
    )
    for (const command of ['show shop', 'history']) {
      const { stdout } = await fleet.cmd(command)
      expect(stdout).toContain('https://127.0.0.1:9, certificates NOT verified')
    }
  })

  it('A12 A20 L1 returns once every live proxy has applied it, and prints their receipts', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.worker()
    await Promise.all([fleet.proxy('proxy-1').follow(), fleet.proxy('proxy-2').follow()])
    const ran = await fleet.cmd(`deploy shop ${quick} --json`)
    expect(ran.exit).toBe(0)
    expect(JSON.parse(ran.stdout)).toMatchObject({
      command: 'deploy',
      service: 'shop',
      release: 'blue',
      outcome: 'active',
      exitCode: 0,
      positions: { first: 1, last: 3 },
      receipts: {
        position: 3,
        proxies: [
          { id: 'proxy-1', tookMs: expect.any(Number) },
          { id: 'proxy-2', tookMs: expect.any(Number) },
        ],
        laggards: [],
        p50Ms: expect.any(Number),
        maxMs: expect.any(Number),
      },
    })
    const text = await fleet.cmd(`deploy shop ${quick.replace('blue', 'green')} --no-color`)
    expect(text.stdout).toMatch(
      /shop: release green is active \(position \d+\)\napplied by 2 of 2 proxies: p50 .*\n {2}proxy-1 {2}/,
    )
  }, 20_000)

  it('A20 L1 names the proxy that does not follow, and exits 4', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.proxy('proxy-1').follow()
    await fleet.proxy('proxy-2').at(0)
    const ran = await fleet.cmd(`deploy shop ${quick} --timeout 300ms`)
    expect(ran.exit).toBe(4)
    expect(ran.stderr).toContain('not every proxy is at position 3: proxy-2 (is at 0)')
  })

  it('A20 waits no longer for a proxy than its lease, and names it', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.proxy('proxy-1').follow()
    await fleet.proxy('proxy-2').at(0)
    const startedAt = performance.now()
    const ran = await fleet.cmd(`deploy shop ${quick} --timeout 60s`)
    expect(ran.exit).toBe(4)
    expect(ran.stderr).toContain('proxy-2 (its lease ran out at position 0)')
    expect(performance.now() - startedAt).toBeLessThan(2 * LEASE_MS)
  }, 20_000)

  it('A20 says that there is nothing to wait for when no proxy runs, and exits 0', async () => {
    await using fleet = createFleet(redisUrl)
    const ran = await fleet.cmd(`deploy shop ${quick}`)
    expect(ran.exit).toBe(0)
    expect(ran.stderr).toContain('no proxy is running: nothing to wait for')
    expect(ran.stdout).toContain('release blue is active')
  })

  it('B12 says at once that no worker runs, and exits 4 when none comes', async () => {
    await using fleet = createFleet(redisUrl)
    const ran = await fleet.cmd(
      'deploy shop --host shop.test --target http://127.0.0.1:9 --release blue --deploy-timeout 100ms --timeout 100ms',
    )
    expect(ran.exit).toBe(4)
    expect(ran.stderr).toContain('no worker is running, so nobody checks the release')
    expect(ran.stderr).toContain('release blue was not checked within 200 ms: no worker is running')
  })

  it('A4 A5 exits 3 with the reason, and list shows it beside the release that still serves', async () => {
    await using fleet = createFleet(redisUrl)
    const reason = 'GET http://127.0.0.1:9/up answered 503, expected 200-399'
    const target = 'http://127.0.0.1:9'
    const failed = {
      kind: 'failed',
      target,
      reason,
      status: 503,
      attempts: 5,
      tookMs: 5_000,
    } as const
    await fleet.cmd(`deploy shop ${quick}`)
    await fleet.worker({ health: { ...failed, excerpt: 'warming \u001b[31mup' } })
    const ran = await fleet.cmd(`deploy shop --host shop.test --target ${target} --release green`)
    expect(ran.exit).toBe(3)
    expect(ran.stderr).toContain(`${reason} (5 attempts in 5 s); it answered: warming  [31mup`)
    const list = await fleet.cmd('list')
    expect(list.stdout).toMatch(/shop +shop\.test +blue +failed/)
    expect(list.stdout).toContain(reason)
    const show = await fleet.cmd('show shop --json')
    expect(JSON.parse(show.stdout)).toMatchObject({
      active: 'blue',
      state: 'failed',
      lastFailure: { release: 'green', failure: { kind: 'unhealthy', status: 503 } },
    })
  })

  it('A16 M13 refuses a host of another service with exit 5, and takes it over when told to', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.cmd(`deploy shop ${quick}`)
    const refused = await fleet.cmd(`deploy blog ${quick}`)
    expect(refused).toMatchObject({ exit: 5, stdout: '' })
    expect(refused.stderr).toContain(
      'Cannot deploy: host shop.test belongs to service shop; --take-over moves it',
    )
    expect((await fleet.cmd(`deploy blog ${quick} --take-over`)).exit).toBe(0)
    expect(JSON.parse((await fleet.cmd('routes --json')).stdout)).toMatchObject([
      { host: 'shop.test', service: 'blog' },
    ])
  })

  it('A17 M5 lets one of two racing deploys win, and the other exits 5 naming the winner', async () => {
    await using fleet = createFleet(redisUrl)
    const flags = '--host shop.test --target http://127.0.0.1:9'
    const first = fleet.cmd(`deploy shop ${flags} --release one --actor alice --json`)
    while ((await fleet.state()).table.gateway.services.get('shop')?.candidate === undefined);
    const second = fleet.cmd(`deploy shop ${flags} --release two --actor bob --force`)
    const [lost, won] = await Promise.all([first, second])
    expect(won.exit).toBe(0)
    expect(lost.exit).toBe(5)
    expect(lost.stderr).toContain(
      'release one was not activated: a deploy of release two by bob took its place',
    )
    expect(JSON.parse(lost.stdout)).toMatchObject({
      outcome: 'superseded',
      supersededBy: { actor: 'bob' },
    })
  })

  it('M5 exits 5 with the difference when the service is not at the expected version', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.cmd(`deploy shop ${quick} --actor alice --reason hotfix --expect-version 0`)
    const again = await fleet.cmd(
      `deploy shop ${quick.replace('blue', 'green')} --expect-version 0`,
    )
    expect(again.exit).toBe(5)
    expect(again.stderr).toContain('Cannot deploy: service shop is at version 3, expected 0')
    expect(again.stderr).toMatch(/since then: #3 .* ReleaseActivated shop blue by alice: hotfix/)
  })

  it('M5 makes a repeated command with the same key a no-op with the same answer', async () => {
    await using fleet = createFleet(redisUrl)
    const line = `deploy shop ${quick} --idempotency-key build-7 --json`
    const [once, twice] = [await fleet.cmd(line), await fleet.cmd(line)]
    expect(twice.exit).toBe(0)
    expect(JSON.parse(twice.stdout)).toMatchObject({
      positions: { first: 1, last: 3 },
      outcome: 'active',
    })
    expect(JSON.parse(twice.stdout)).toEqual(JSON.parse(once.stdout))
    expect((await fleet.log.head()).position).toBe(3)
    const other = await fleet.cmd(
      `deploy blog ${quick.replace('shop', 'blog')} --idempotency-key build-7`,
    )
    expect(other.exit).toBe(5)
    expect(other.stderr).toContain('the idempotency key build-7 was used for service shop already')
  })

  it('A14 M5 has nothing to do when the release is active already', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.cmd(`deploy shop ${quick}`)
    const again = await fleet.cmd(`deploy shop ${quick}`)
    expect(again).toMatchObject({ exit: 0, stdout: 'shop: nothing to do, that is so already\n' })
  })

  it('A23 leaves a service that is there alone with --if-absent', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.cmd(`deploy shop ${quick}`)
    await fleet.cmd(`deploy shop ${quick.replace('blue', 'green')} --if-absent`)
    expect((await fleet.cmd('list --json')).stdout).toContain('"active": "blue"')
  })

  it('waits for a staged release, and leaves the one before active', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.cmd(`deploy shop ${quick}`)
    const ran = await fleet.cmd(`deploy shop ${quick.replace('blue', 'green')} --stage`)
    expect(ran.exit).toBe(0)
    expect(ran.stdout).toContain('release green is healthy and waits')
    expect((await fleet.cmd('list --json')).stdout).toContain('"active": "blue"')
  })

  it('exits 2 and appends nothing for a spec with a mistake', async () => {
    await using fleet = createFleet(redisUrl)
    writeFileSync(join(folder, 'bad.json'), '{"service": "shop", "hosts": ["a b"], "target": 1}')
    const ran = await fleet.cmd('deploy bad.json', { cwd: folder })
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr.split('\n')).toEqual([
      'bad.json:1: target: unknown field; did you mean "targets"?',
      'bad.json:1: hosts[0]: "a b" is not a valid host name',
      '',
    ])
    const missing = await fleet.cmd('deploy bd.json', { cwd: folder })
    expect(missing.stderr).toBe('bd.json: there is no such file; did you mean "bad.json"?\n')
    expect((await fleet.log.head()).position).toBe(0)
  })
})
