import { describe, expect, inject, it } from 'vitest'
import { createFleet, deploy, eventually, type TestFleet } from './fleet.ts'

const redisUrl = inject('redisUrl')

const active = async (fleet: TestFleet): Promise<string> =>
  JSON.parse((await fleet.cmd('show shop --json')).stdout).active

describe('switch and rollback', () => {
  it('A13 M1 make a known release active again, and history shows all of it', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'blue')
    await deploy(fleet, 'green')
    await fleet.worker()
    expect((await fleet.cmd('switch shop blue --reason back')).exit).toBe(0)
    expect(await active(fleet)).toBe('blue')
    expect((await fleet.cmd('rollback shop')).exit).toBe(0)
    expect(await active(fleet)).toBe('green')
    expect((await fleet.cmd('rollback shop --to blue')).exit).toBe(0)
    expect(await active(fleet)).toBe('blue')

    const { stdout } = await fleet.cmd('history shop --json')
    const activated = JSON.parse(stdout).filter(
      ({ event }: { event: string }) => event === 'ReleaseActivated',
    )
    expect(activated.map(({ release }: { release: string }) => release)).toEqual([
      'blue',
      'green',
      'blue',
      'green',
      'blue',
    ])
  })

  it('A13 name the nearest release or service that is known, and exit 1', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'blue')
    const release = await fleet.cmd('switch shop bleu')
    expect(release.exit).toBe(1)
    expect(release.stderr).toBe(
      'Cannot switch: service shop has no release "bleu"; it knows blue; did you mean "blue"?\n',
    )
    const service = await fleet.cmd('switch shp blue')
    expect(service).toMatchObject({
      exit: 1,
      stderr: 'Cannot switch: there is no service "shp"; did you mean "shop"?\n',
    })
    const rollback = await fleet.cmd('rollback shop')
    expect(rollback).toMatchObject({
      exit: 1,
      stderr: 'Cannot rollback: service shop has no release that was active before\n',
    })
  })
})

describe('drain', () => {
  it('L3 A19 returns when the worker has seen a proven zero', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'blue')
    await fleet.proxy('proxy-1').follow()
    await fleet.worker()
    const ran = await fleet.cmd('drain shop --json')
    expect(ran.exit).toBe(0)
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcome: 'applied',
      drains: [
        { release: 'blue', outcome: 'drained', unreachable: [], tookMs: expect.any(Number) },
      ],
    })
  })

  it('A9 exits 8 with the number that was cut at the deadline', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'blue')
    await fleet.proxy('proxy-1').follow()
    await fleet.worker({ drain: { kind: 'timed-out', cut: 2, unreachable: ['proxy-9'] } })
    const ran = await fleet.cmd('drain shop blue --drain-timeout 1s')
    expect(ran.exit).toBe(8)
    expect(ran.stderr).toContain(
      'the drain of release blue reached its deadline: 2 in flight were cut',
    )
    expect(ran.stdout).toContain('with 2 in flight, without word from proxy-9')
  })

  it('A7 list shows every draining release with its own deadline and its work in flight', async () => {
    await using fleet = createFleet(redisUrl)
    for (const release of ['blue', 'green', 'red']) await deploy(fleet, release)
    const { position } = await fleet.log.head()
    const [blue, green] = (await fleet.state()).table.gateway.services.get('shop')?.releases ?? []
    const of = (release: string, revision: number | undefined, requests: number) => ({
      service: 'shop',
      release,
      revision: revision ?? 0,
      requests,
      upgraded: 1,
      cut: 0,
    })
    await fleet
      .proxy('proxy-1')
      .at(position, [of('blue', blue?.revision, 2), of('green', green?.revision, 0)])
    await fleet.proxy('proxy-2').at(position, [of('blue', blue?.revision, 1)])

    const started = JSON.parse((await fleet.cmd('history --json')).stdout)
      .filter(({ event }: { event: string }) => event === 'DrainStarted')
      .map(({ time }: { time: string }) => new Date(Date.parse(time) + 30_000).toISOString())
    const [shop] = JSON.parse((await fleet.cmd('list --json')).stdout)
    expect(shop).toMatchObject({
      active: 'red',
      draining: [
        { release: 'blue', requests: 3, upgraded: 2, deadline: started[0] },
        { release: 'green', requests: 0, upgraded: 1, deadline: started[1] },
      ],
    })
    expect((await fleet.cmd('list')).stdout).toMatch(
      /blue \(5 in flight, \d+ s left\), green \(1 in flight, \d+ s left\)/,
    )
  })
})

describe('pause, resume, stop and remove', () => {
  it('A19 M9 pause waits until no proxy holds work of the service', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'blue')
    const busy = { service: 'shop', release: 'blue', revision: 1, requests: 1, upgraded: 0, cut: 0 }
    const proxy = fleet.proxy('proxy-1')
    const { position } = await fleet.log.head()
    await proxy.at(position + 1, [busy])
    const pausing = fleet.cmd('pause shop --max-pause 20s')
    await eventually(async () => ((await fleet.log.head()).position > position ? true : undefined))
    await proxy.at(position + 1, [])
    expect(await pausing).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining('shop: paused'),
    })
    expect((await fleet.cmd('list')).stdout).toMatch(/shop +shop\.test +blue +paused/)
    await proxy.at(position + 2)
    expect((await fleet.cmd('resume shop')).stdout).toContain('shop: running')
    expect((await fleet.cmd('list')).stdout).toMatch(/shop +shop\.test +blue +running/)
  })

  it('A19 M9 pause exits 8 and says what is still in flight, and where', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'blue')
    const busy = { service: 'shop', release: 'blue', revision: 1, requests: 2, upgraded: 1, cut: 0 }
    const { position } = await fleet.log.head()
    await fleet.proxy('proxy-1').at(position + 1, [busy])
    const ran = await fleet.cmd('pause shop --drain-timeout 100ms')
    expect(ran.exit).toBe(8)
    expect(ran.stderr).toContain(
      'still in flight after 100 ms: 2 requests and 1 upgraded connection on proxy-1',
    )
  })

  it('A19 M10 stop keeps its message, and remove takes the hosts away', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'blue')
    await fleet.proxy('proxy-1').follow()
    await fleet.worker()
    expect((await fleet.cmd(['stop', 'shop', '--message', 'Back at noon'])).exit).toBe(0)
    expect((await fleet.cmd('show shop')).stdout).toContain('stopped: Back at noon')
    const removed = await fleet.cmd('rm shop')
    expect(removed.exit).toBe(0)
    expect(removed.stdout).toContain('release blue is drained')
    expect((await fleet.cmd('list')).stdout).toBe('no services: nothing is deployed yet\n')
    expect((await fleet.cmd('resume shop')).stderr).toBe(
      'Cannot resume: there is no service "shop": nothing is deployed yet\n',
    )
  })
})
