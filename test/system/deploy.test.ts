/** Deploys, switches and rollbacks through the command line, seen from the outside of two proxies. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startFleet, type TestFleet } from '../support/fleet.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let fleet: TestFleet
let blue: Upstream
let green: Upstream

beforeAll(async () => {
  blue = await startUpstream('blue')
  green = await startUpstream('green')
  fleet = await startFleet({ redisUrl: inject('redisUrl') })
})
afterAll(async () => {
  await fleet[Symbol.asyncDispose]()
  await Promise.all([blue.stop(), green.stop()])
})

/** What every proxy answers, in their order. */
const answers = (host: string): Promise<readonly string[]> =>
  Promise.all(
    fleet.proxies().map(async (proxy) => {
      const { status, body } = await proxy.ask(host)
      return status === 200 ? body : String(status)
    }),
  )

describe('deploy', () => {
  it('A1 L1 takes the spec of the README, and every proxy serves it when the command returns', async () => {
    const spec = await fleet.spec({
      service: 'web',
      hosts: ['app.example.com', '*.app.example.com'],
      target_url: blue.url,
      health_path: '/up',
      drain_timeout: '30s',
      metadata: { version: '1.4.2' },
    })
    const ran = await fleet.npmRunCmd('deploy', spec).finished
    expect(await answers('app.example.com')).toEqual(['blue', 'blue'])
    expect(ran).toMatchObject({ exit: 0 })
    expect(ran.stdout).toMatch(
      /^web: release \S+ is active \(position 3\)\napplied by 2 of 2 proxies: p50/,
    )
    expect(ran.stdout).toMatch(/\n {2}proxy-1 {2}.*\n {2}proxy-2 {2}/)
    expect(await answers('eu.app.example.com')).toEqual(['blue', 'blue'])
  })

  it('A3 brings hosts into their normal form', async () => {
    const spec = await fleet.spec({
      service: 'normal',
      hosts: [' Example.COM '],
      target_url: blue.url,
    })
    expect(await fleet.cmd('deploy', spec)).toMatchObject({ exit: 0 })
    expect(await answers('example.com')).toEqual(['blue', 'blue'])
  })

  it('A12 activates an unchecked release, whose requests may well be 502', async () => {
    const spec = await fleet.spec({
      service: 'unchecked',
      hosts: ['unchecked.test'],
      target_url: 'http://127.0.0.1:9',
      skip_health_check: true,
    })
    expect(await fleet.cmd('deploy', spec)).toMatchObject({ exit: 0 })
    expect(await answers('unchecked.test')).toEqual(['502', '502'])
  })

  it('A15 a host that a new release no longer names is unknown', async () => {
    await fleet.deploy('two', 'a.two.test,b.two.test', blue)
    expect(await answers('b.two.test')).toEqual(['blue', 'blue'])
    await fleet.deploy('two', 'a.two.test', green)
    expect(await answers('a.two.test')).toEqual(['green', 'green'])
    expect(await answers('b.two.test')).toEqual(['404', '404'])
  })

  it('A16 refuses a host of another service, and changes nothing', async () => {
    await fleet.deploy('owner', 'owned.test', blue)
    const position = await fleet.position()
    const flags = ['--host', 'free.test,owned.test', '--target', green.url]
    const refused = await fleet.cmd('deploy', 'thief', ...flags)
    expect(refused.exit).toBe(5)
    expect(refused.stderr).toContain('host owned.test belongs to service owner')
    expect(await answers('owned.test')).toEqual(['blue', 'blue'])
    expect(await answers('free.test')).toEqual(['404', '404'])
    expect(await fleet.position()).toBe(position)
  })

  it('A17 two deploys at once end in one state, which every proxy has', async () => {
    const rival = (release: Upstream) => {
      const flags = ['--host', 'race.test', '--target', release.url, '--release', release.label]
      return fleet.startCmd('deploy', 'race', ...flags).finished
    }
    const ran = await Promise.all([rival(blue), rival(green)])
    const exits = ran.map(({ exit }) => exit)
    // Either one took the other's place, or they came one after the other.
    expect([0, 5]).toEqual(expect.arrayContaining(exits))
    expect(exits).toContain(0)
    const { active, candidate } = Object(await fleet.json('show', 'race'))
    expect(candidate).toBeUndefined()
    expect(await answers('race.test')).toEqual([active, active])
    await fleet.agreed()
  })

  it('C12 a broken spec changes nothing, and is told by file, line and field', async () => {
    await fleet.deploy('steady', 'steady.test', blue)
    const position = await fleet.position()
    const spec = await fleet.spec({
      service: 'steady',
      hosts: ['steady.test', 'not a host'],
      target_url: green.url,
      helth_path: '/up',
    })
    const ran = await fleet.startCmd('deploy', spec).finished
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toContain('helth_path: unknown field; did you mean "health_path"?')
    expect(ran.stderr).toContain('hosts[1]: "not a host" is not a valid host name')
    expect(await answers('steady.test')).toEqual(['blue', 'blue'])
    expect(await fleet.position()).toBe(position)
  })

  it('I12 every event says who did it, when and why', async () => {
    const before = Date.now()
    await fleet.deploy('audit', 'audit.test', blue, '--actor', 'alice', '--reason', 'ticket 7')
    const events = await fleet.json('history', 'audit')
    expect(events).toMatchObject([
      { event: 'ReleaseDeclared', actor: 'alice', reason: 'ticket 7' },
      { event: 'ReleasePassed', actor: expect.stringMatching(/./) },
      { event: 'ReleaseActivated', actor: expect.stringMatching(/./) },
    ])
    for (const { time } of Object(events)) {
      expect(Date.parse(time)).toBeGreaterThan(before - 1_000)
      expect(Date.parse(time)).toBeLessThan(Date.now() + 1_000)
    }
  })
})

describe('switch and rollback', () => {
  it('A13 A14 a known release becomes active again, and history tells all of it', async () => {
    await fleet.deploy('swap', 'swap.test', blue)
    await fleet.deploy('swap', 'swap.test', green)
    for (const release of [blue, green, blue]) {
      expect(await fleet.cmd('switch', 'swap', release.label)).toMatchObject({ exit: 0 })
      expect(await answers('swap.test')).toEqual([release.label, release.label])
      expect(await fleet.json('show', 'swap')).toMatchObject({ draining: [] })
    }
    const events = await fleet.events('swap')
    const activated = events.filter((event) => event.type === 'ReleaseActivated')
    expect(activated.map(({ release }) => release)).toEqual('blue green blue green blue'.split(' '))
  })

  it('M1 A13 goes back to the release before, or to one that is named', async () => {
    const first = { label: 'first', url: blue.url }
    await fleet.deploy('back', 'back.test', first)
    await fleet.deploy('back', 'back.test', blue)
    await fleet.deploy('back', 'back.test', green)
    expect(await fleet.cmd('rollback', 'back')).toMatchObject({ exit: 0 })
    expect(await answers('back.test')).toEqual(['blue', 'blue'])
    expect(await fleet.cmd('rollback', 'back', '--to', 'green')).toMatchObject({ exit: 0 })
    expect(await answers('back.test')).toEqual(['green', 'green'])
    expect(await fleet.cmd('rollback', 'back', '--to', 'first')).toMatchObject({ exit: 0 })
    expect(await fleet.json('show', 'back')).toMatchObject({ active: 'first' })
  })

  it('M1 is refused with exit 3 when the release before no longer answers', async () => {
    const lost = await startUpstream('lost')
    await fleet.deploy('stuck', 'stuck.test', lost, '--deploy-timeout', '200ms')
    await fleet.deploy('stuck', 'stuck.test', green)
    await lost.stop()
    const ran = await fleet.cmd('rollback', 'stuck')
    expect(ran.exit).toBe(3)
    expect(ran.stderr).toContain(`GET ${lost.url}/up`)
    expect(await answers('stuck.test')).toEqual(['green', 'green'])
  })
})

describe('by hand', () => {
  it('A19 drain, remove, pause, resume and stop change what every proxy answers', async () => {
    await fleet.deploy('hand', 'hand.test', blue)
    const seen = blue.seen()

    expect(await fleet.cmd('pause', 'hand')).toMatchObject({ exit: 0 })
    const held = fleet.proxies().map((proxy) => proxy.ask('hand.test'))
    for (const proxy of fleet.proxies()) {
      await eventually('its client waits', async () => {
        return (await proxy.metric('gatehouse_client_connections')) === 1
      })
    }
    expect(await fleet.json('show', 'hand')).toMatchObject({ state: 'paused' })
    expect(blue.seen()).toBe(seen)
    expect(await fleet.cmd('resume', 'hand')).toMatchObject({ exit: 0 })
    for (const answer of await Promise.all(held)) {
      expect(answer).toMatchObject({ status: 200, body: 'blue' })
    }

    expect(await fleet.cmd('stop', 'hand', '--message', 'back at noon')).toMatchObject({ exit: 0 })
    expect(await answers('hand.test')).toEqual(['503', '503'])
    const [proxy] = fleet.proxies()
    expect((await proxy?.ask('hand.test'))?.body).toContain('back at noon')
    expect(await fleet.cmd('resume', 'hand')).toMatchObject({ exit: 0 })
    expect(await answers('hand.test')).toEqual(['blue', 'blue'])

    expect(await fleet.cmd('drain', 'hand')).toMatchObject({ exit: 0 })
    expect(await answers('hand.test')).toEqual(['503', '503'])
    expect(await fleet.cmd('switch', 'hand', 'blue')).toMatchObject({ exit: 0 })
    expect(await answers('hand.test')).toEqual(['blue', 'blue'])

    expect(await fleet.cmd('remove', 'hand')).toMatchObject({ exit: 0 })
    expect(await answers('hand.test')).toEqual(['404', '404'])
    const types = (await fleet.events('hand')).map(({ type }) => type)
    for (const type of ['ServicePaused', 'ServiceResumed', 'ServiceStopped', 'ServiceRemoved']) {
      expect(types).toContain(type)
    }
    expect(types).toContain('DrainEnded')
  })
})
