import { createServer } from 'node:http'
import { describe, expect, inject, it } from 'vitest'
import { createFleet, deploy, eventually } from './fleet.ts'

const redisUrl = inject('redisUrl')

describe('routes', () => {
  it('A27 says so in words when nothing is deployed', async () => {
    await using fleet = createFleet(redisUrl)
    expect(await fleet.cmd('routes')).toEqual({
      exit: 0,
      stdout: 'no routes: nothing is deployed yet\n',
      stderr: '',
    })
  })

  it('A27 are sorted by host, with service, release and target', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'v1', 'shop')
    await deploy(fleet, 'v2', 'blog')
    const { stdout } = await fleet.cmd('routes')
    expect(stdout).toBe(
      [
        'HOST       SERVICE  RELEASE  TARGET',
        'blog.test  blog     v2       http://127.0.0.1:9',
        'shop.test  shop     v1       http://127.0.0.1:9',
        '',
      ].join('\n'),
    )
  })

  it('A27 are those of one running proxy when its admin address is given', async () => {
    await using fleet = createFleet(redisUrl)
    const row = {
      host: 'shop.test',
      service: 'shop',
      release: 'v1',
      target: null,
      state: 'paused',
      inFlight: 2,
    }
    const admin = createServer((request, response) => {
      response.end(request.url === '/routes' ? JSON.stringify([row]) : '{}')
    })
    await new Promise<void>((resolve) => admin.listen(0, '127.0.0.1', resolve))
    const address = admin.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const ran = await fleet.cmd(`routes --url http://127.0.0.1:${port}`)
    expect(ran.stdout).toMatch(/^HOST .*IN FLIGHT\nshop\.test +shop +v1 +- +paused +2\n$/)
    await new Promise((resolve) => admin.close(resolve))
    const gone = await fleet.cmd(`routes --url http://127.0.0.1:${port}`)
    expect(gone.exit).toBe(1)
    expect(gone.stderr).toMatch(/^no proxy answers at http:\/\/127\.0\.0\.1:\d+: /)
  })
})

describe('history and show', () => {
  it('M2 I12 say when, what, who and why, newest last, as many as asked for', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'blue')
    const { stdout } = await fleet.cmd('history')
    const [head, ...rows] = stdout.trimEnd().split('\n')
    expect(head).toMatch(/^POSITION +TIME +EVENT +SERVICE +RELEASE +ACTOR +REASON +DETAILS$/)
    expect(rows).toHaveLength(3)
    expect(rows[2]).toMatch(
      /^3 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z +ReleaseActivated +shop +blue +alice +ship blue/,
    )
    const last = await fleet.cmd('history shop --limit 1 --json')
    expect(JSON.parse(last.stdout)).toMatchObject([{ position: 3, meta: { actor: 'alice' } }])
    expect((await fleet.cmd('history blog')).stdout).toBe('no events about a service "blog"\n')
  })

  it('I12 takes the actor from the CI system', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'blue')
    await fleet.cmd('pause shop --no-wait', { environment: { GITHUB_ACTOR: 'octocat' } })
    expect((await fleet.cmd('history shop --limit 1')).stdout).toMatch(
      /ServicePaused +shop +- +octocat/,
    )
  })

  it('M2 show has the version, every release with its status, and the settings', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'blue')
    await deploy(fleet, 'green')
    const { stdout } = await fleet.cmd('show shop')
    expect(stdout).toMatch(/service +shop \(version \d+\)/)
    expect(stdout).toMatch(/\nblue +draining +http:\/\/127\.0\.0\.1:9/)
    expect(stdout).toMatch(/\ngreen +active +http:\/\/127\.0\.0\.1:9/)
    expect((await fleet.cmd('show shpo')).stderr).toContain('did you mean "shop"?')
  })
})

describe('fleet', () => {
  it('L4 shows where everybody is, who lags, and who has another table', async () => {
    await using fleet = createFleet(redisUrl)
    expect((await fleet.cmd('fleet')).stdout).toBe('no proxy and no worker is running\n')
    await deploy(fleet, 'blue')
    await fleet.worker()
    await fleet.proxy('proxy-1').at(3)
    await fleet.proxy('proxy-2').at(1)
    const ran = await fleet.cmd('fleet --json')
    expect(ran.exit).toBe(0)
    expect(JSON.parse(ran.stdout)).toMatchObject({
      position: 3,
      members: [
        { id: 'proxy-1', kind: 'proxy', live: true, lag: 0, table: 'differs', inFlight: 0 },
        { id: 'proxy-2', lag: 2, table: 'behind' },
        { id: 'worker-1', kind: 'worker' },
      ],
    })
  })
})

describe('watch', () => {
  it('M12 prints events as they happen, and begins where it is told to', async () => {
    await using fleet = createFleet(redisUrl)
    await deploy(fleet, 'blue')
    const ending = new AbortController()
    const watching = fleet.cmd('watch shop --from 2 --json', { interrupted: ending.signal })
    await deploy(fleet, 'other', 'blog')
    await fleet.cmd('pause shop --no-wait')
    // The second one is only there to tell when the first has seen everything.
    await eventually(async () => ((await fleet.log.head()).position >= 7 ? true : undefined))
    setTimeout(() => ending.abort(), 200)
    const { exit, stdout } = await watching
    expect(exit).toBe(130)
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.map(({ position, event }) => [position, event])).toEqual([
      [2, 'ReleasePassed'],
      [3, 'ReleaseActivated'],
      [7, 'ServicePaused'],
    ])
  })
})
