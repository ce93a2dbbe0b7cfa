/** The end of a release: what is in flight comes to its end, or to the deadline, on every proxy. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { DrainEnded } from '@gatehouse/domain'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { ask } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startFleet, type TestFleet, type TestProxy } from '../support/fleet.ts'
import { startRelay } from '../support/relay.ts'
import { DOWNLOAD_BYTES, startUpstream, type Upstream } from '../support/upstream.ts'

const LEASE_MS = 5_000
/** Of a drain that a test waits for. */
const DRAIN_MS = 1_000

let fleet: TestFleet
let first: TestProxy
let second: TestProxy
let third: TestProxy
let blue: Upstream
let green: Upstream
let red: Upstream

beforeAll(async () => {
  blue = await startUpstream('blue')
  green = await startUpstream('green')
  red = await startUpstream('red')
  fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 3 })
  first = fleet.proxy('proxy-1')
  second = fleet.proxy('proxy-2')
  third = fleet.proxy('proxy-3')
})
afterAll(async () => {
  await fleet[Symbol.asyncDispose]()
  await Promise.all([blue.stop(), green.stop(), red.stop()])
})

interface Draining {
  readonly release: string
  readonly deadline: string
  readonly requests: number
  readonly upgraded: number
}

const draining = async (service: string): Promise<readonly Draining[]> =>
  Object(await fleet.json('show', service)).draining as readonly Draining[]

const drainEnds = async (service: string): Promise<readonly DrainEnded[]> =>
  (await fleet.events(service)).filter((event) => event.type === 'DrainEnded')

const socketTo = async (proxy: TestProxy, host: string): Promise<WebSocket> => {
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/socket`, { headers: { host } })
  socket.on('error', () => undefined)
  const [greeting] = await once(socket, 'message')
  expect(String(greeting)).toBe('blue')
  return socket
}

describe('a drain by a switch', () => {
  it('A7 A11 releases drain side by side, each until its own deadline', async () => {
    await fleet.deploy('many', 'many.test', blue, '--drain-timeout', '20s')
    const onBlue = ask(first.port, { host: 'many.test', path: '/hold' })
    await eventually('blue holds a request', () => blue.held() === 1)
    await fleet.deploy('many', 'many.test', green, '--drain-timeout', 'infinity', '--no-wait')
    await eventually('green serves', async () => (await first.ask('many.test')).body === 'green')
    const onGreen = ask(second.port, { host: 'many.test', path: '/hold' })
    await eventually('green holds a request', () => green.held() === 1)
    await fleet.deploy('many', 'many.test', red, '--no-wait')
    await eventually('red serves', async () => (await second.ask('many.test')).body === 'red')

    const both = await eventually('both are seen to drain', async () => {
      const drains = await draining('many')
      return drains.every(({ requests }) => requests === 1) && drains.length === 2
        ? drains
        : undefined
    })
    expect(both).toMatchObject([
      { release: 'blue', deadline: expect.stringMatching(/^\d{4}-/) },
      { release: 'green', deadline: 'infinity' },
    ])
    green.release()
    expect(await onGreen).toMatchObject({ status: 200, body: 'green' })
    await eventually('green is drained', async () => (await draining('many')).length === 1)
    blue.release()
    expect(await onBlue).toMatchObject({ status: 200, body: 'blue' })
    await eventually('blue is drained', async () => (await draining('many')).length === 0)
  })

  it('A8 ends as soon as the last response, which arrives intact, has ended', async () => {
    await fleet.deploy('plain', 'plain.test', blue)
    const slow = ask(first.port, { host: 'plain.test', path: '/hold' })
    const download = ask(second.port, { host: 'plain.test', path: '/download' })
    await eventually('blue holds both', () => blue.held() === 2)
    const deploying = fleet.deploy('plain', 'plain.test', green)
    await eventually('green serves', async () => (await first.ask('plain.test')).body === 'green')
    expect(await draining('plain')).toMatchObject([{ release: 'blue' }])
    blue.release()
    const releasedAt = performance.now()
    expect((await deploying).stdout).toContain('release blue is drained')
    expect(performance.now() - releasedAt).toBeLessThan(1_500)
    expect(await slow).toMatchObject({ body: 'blue', headers: { 'content-length': '4' } })
    expect((await download).body).toHaveLength(DOWNLOAD_BYTES)
    expect(await draining('plain')).toEqual([])
  })

  it('A9 E11 keeps a WebSocket on its release, and asks it back before the deadline: exit 0', async () => {
    await fleet.deploy('chat', 'chat.test', blue, '--drain-timeout', '3s')
    const sockets = [await socketTo(first, 'chat.test'), await socketTo(second, 'chat.test')]
    const ends = sockets.map((socket) => once(socket, 'close'))
    const startedAt = performance.now()
    const deploying = fleet.cmd('deploy', 'chat', '--host', 'chat.test', '--target', green.url)
    await eventually('green serves', async () => (await first.ask('chat.test')).body === 'green')
    for (const socket of sockets) {
      socket.send('still on blue')
      expect(String((await once(socket, 'message'))[0])).toBe('still on blue')
    }
    for (const end of ends) {
      const [code, reason] = await end
      expect([code, String(reason)]).toEqual([1012, 'service restart'])
    }
    expect(performance.now() - startedAt).toBeGreaterThan(1_500)
    expect(await deploying).toMatchObject({ exit: 0 })
    expect(performance.now() - startedAt).toBeLessThan(4_500)
    const { text: metrics } = await first.admin('/metrics')
    expect(metrics).toContain('gatehouse_upgraded_ended_total{reason="restart"} 1\n')
    expect(await drainEnds('chat')).toMatchObject([
      { release: 'blue', outcome: { kind: 'drained' } },
    ])
  })

  it('A9 cuts what is left at the deadline, and says so with exit 8', async () => {
    await fleet.deploy('endless', 'endless.test', blue, '--drain-timeout', '1000')
    const stream = await first.open('endless.test', '/endless')
    const socket = await socketTo(second, 'endless.test')
    const socketEnd = once(socket, 'close')
    const startedAt = performance.now()
    const flags = ['--host', 'endless.test', '--target', green.url]
    const deploying = fleet.cmd('deploy', 'endless', ...flags)
    await eventually('green serves', async () => {
      return (await first.ask('endless.test')).body === 'green'
    })
    const appliedAt = performance.now()
    expect(await stream.ended()).toBe('cut')
    expect(performance.now() - startedAt).toBeGreaterThan(1_000)
    expect(performance.now() - appliedAt).toBeLessThan(1_500)
    expect((await socketEnd)[0]).toBe(1012)
    expect(performance.now() - appliedAt).toBeLessThan(1_600)
    const ran = await deploying
    expect(ran.exit).toBe(8)
    expect(ran.stderr).toContain('1 in flight was cut')
    const [ended] = await drainEnds('endless')
    expect(ended).toMatchObject({ release: 'blue', outcome: { kind: 'timed-out', cut: 1 } })
    expect((await first.ask('endless.test')).body).toBe('green')
  })

  it('A10 is over at once when there was no traffic', async () => {
    await fleet.deploy('idle', 'idle.test', blue)
    const startedAt = performance.now()
    await fleet.deploy('idle', 'idle.test', green)
    expect(performance.now() - startedAt).toBeLessThan(1_500)
    expect(await drainEnds('idle')).toMatchObject([
      { release: 'blue', outcome: { kind: 'drained' } },
    ])
  })

  it('A14 A-B-A-B leaves no drain behind, and ends none too early', async () => {
    const deploy = (release: Upstream, ...more: readonly string[]) =>
      fleet.deploy('again', 'again.test', release, '--drain-timeout', String(DRAIN_MS), ...more)
    await deploy(blue)
    const stream = await first.open('again.test', '/events')
    const firstEndsAt = performance.now() + 2 * DRAIN_MS
    await deploy(green, '--no-wait')
    await eventually('green serves', async () => (await first.ask('again.test')).body === 'green')
    // Back before the deadline: the first drain of blue is off, and must not cut anything later.
    await deploy(blue)
    expect(await draining('again')).toEqual([])
    await eventually('its deadline has passed', () => performance.now() > firstEndsAt)
    const before = stream.body().length
    await eventually('the stream goes on', () => stream.body().length > before)
    const startedAt = performance.now()
    await deploy(green, '--no-wait')
    expect(await stream.ended()).toBe('cut')
    expect(performance.now() - startedAt).toBeGreaterThan(DRAIN_MS)
    await eventually('nothing drains', async () => (await draining('again')).length === 0)
    expect(await drainEnds('again')).toMatchObject([
      { release: 'blue', outcome: { kind: 'cancelled' } },
      { release: 'green', outcome: { kind: 'drained' } },
      { release: 'blue', outcome: { kind: 'timed-out', cut: 1 } },
    ])
    // What was cut then is not counted again.
    await deploy(blue)
    await deploy(green)
    expect((await drainEnds('again')).at(-1)).toMatchObject({ outcome: { kind: 'drained' } })
  })
})

describe('a drain by hand', () => {
  it('L3 returns only when a download, an event stream and a WebSocket on three proxies have ended', async () => {
    await fleet.deploy('zero', 'zero.test', blue)
    const download = await first.open('zero.test', '/download')
    const events = await second.open('zero.test', '/events')
    const socket = await socketTo(third, 'zero.test')
    let returned = false
    const drain = fleet.cmd('drain', 'zero').finally(() => (returned = true))
    await eventually(
      'the drain is applied',
      async () => (await first.ask('zero.test')).status === 503,
    )
    socket.send('still here')
    expect(String((await once(socket, 'message'))[0])).toBe('still here')

    blue.release()
    expect(await download.ended()).toBe('complete')
    expect(download.body()).toHaveLength(DOWNLOAD_BYTES)
    expect(await events.ended()).toBe('complete')
    await eventually('only the socket is left', async () => {
      const [left] = await draining('zero')
      return left?.requests === 0 && left.upgraded === 1
    })
    // The fleet has been looked at several times by now, and the socket alone has held it up.
    expect(returned).toBe(false)
    expect(await drainEnds('zero')).toEqual([])
    socket.close(1000)
    const ran = await drain
    expect(ran).toMatchObject({ exit: 0 })
    expect(ran.stdout).toContain('release blue is drained')
    expect(await drainEnds('zero')).toMatchObject([
      { outcome: { kind: 'drained', unreachable: [] } },
    ])
  })

  it('L3 L5 a proxy that is cut off from Redis holds it up until its lease is over, and is named', async () => {
    const { hostname: host, port } = new URL(inject('redisTcpUrl'))
    await using relay = await startRelay({ host, port: Number(port) })
    await using lonely = await fleet.startProxy('lonely', {
      GATEHOUSE_REDIS_URL: `redis://127.0.0.1:${relay.port}`,
    })
    await fleet.deploy('cut', 'cut.test', blue)
    relay.freeze()
    const frozenAt = performance.now()
    const ran = await fleet.cmd('drain', 'cut', '--timeout', `${LEASE_MS + 1_500}`)
    const tookMs = performance.now() - frozenAt
    expect(tookMs).toBeGreaterThan(LEASE_MS - 1_100)
    expect(ran.exit).toBe(4)
    expect(ran.stderr).toContain('lonely (its lease ran out')
    const [ended] = await eventually('the drain has ended', async () => {
      const ends = await drainEnds('cut')
      return ends.length > 0 ? ends : undefined
    })
    expect(ended).toMatchObject({ outcome: { kind: 'drained', unreachable: ['lonely'] } })
    // It serves on by the table that it has, and says that nobody hears it.
    expect((await lonely.ask('cut.test')).body).toBe('blue')
    expect(await lonely.metric('gatehouse_redis_connected')).toBe(0)
    expect(await lonely.metric('gatehouse_route_table_stale_seconds')).toBeGreaterThan(0)

    relay.thaw()
    await eventually('it has caught up', async () => (await lonely.ask('cut.test')).status === 503)
  })
})
