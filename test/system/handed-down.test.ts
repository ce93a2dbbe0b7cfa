/** Proxies on sockets that somebody else has bound, as systemd's socket activation does. */
import { BoundSocket } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startFleet, type TestFleet } from '../support/fleet.ts'
import { startLoad } from '../support/load.ts'
import { freePorts, isOpen } from '../support/machine.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const HOST = 'shop.test'

let fleet: TestFleet
let blue: Upstream
let traffic: BoundSocket
let admin: BoundSocket

beforeAll(async () => {
  traffic = new BoundSocket({ host: '127.0.0.1' })
  admin = new BoundSocket({ host: '127.0.0.1' })
  blue = await startUpstream('blue')
  fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 0 })
})
afterAll(async () => {
  await fleet[Symbol.asyncDispose]()
  await blue.stop()
  traffic.close()
  admin.close()
})

describe('a proxy that is handed its sockets', () => {
  it.each(['uring', 'handle', 'net'])(
    'serves on them instead of on its settings, and says where that is, with the transport %s',
    async (transport) => {
      const listen = await freePorts(2)
      const proxy = await fleet.startProxy(
        'handed',
        {
          GATEHOUSE_LISTEN: `127.0.0.1:${listen}`,
          GATEHOUSE_ADMIN: `127.0.0.1:${listen + 1}`,
          GATEHOUSE_TRANSPORT: transport,
          LISTEN_FDNAMES: 'gatehouse.socket:admin',
        },
        [traffic.fd(), admin.fd()],
      )
      await fleet.deploy('shop', HOST, blue)
      expect(proxy.port).toBe(traffic.address().port)
      expect(proxy.adminUrl).toBe(`http://127.0.0.1:${admin.address().port}`)
      expect(await proxy.ask(HOST)).toMatchObject({ status: 200, body: 'blue' })
      expect(await proxy.admin('/readyz')).toEqual({ status: 200, text: 'ready\n' })
      expect(await isOpen(listen)).toBe(false)
      expect(await isOpen(listen + 1)).toBe(false)
      expect(await fleet.members()).toContainEqual(
        expect.objectContaining({ id: 'handed', address: `127.0.0.1:${proxy.port}` }),
      )
      expect(await proxy.stop()).toMatchObject({ exit: 0 })
    },
  )

  it('I8 L11 is restarted without a failed request, while another one serves on the same socket', async () => {
    await fleet.startProxy('one', {}, [traffic.fd()])
    await fleet.startProxy('two', {}, [traffic.fd()])
    const plan = { ports: [traffic.address().port], host: HOST, accept: ['blue'] }
    await using kept = await startLoad({ ...plan, connectionsPerPort: 8 })
    await using fresh = await startLoad({ ...plan, connectionsPerPort: 8, newConnections: true })
    for (const id of ['one', 'two', 'one']) {
      expect(await fleet.proxy(id).stop()).toMatchObject({ exit: 0 })
      await Promise.all([kept.answers(50), fresh.answers(50)])
      await fleet.startProxy(id, {}, [traffic.fd()])
    }
    for (const report of [await kept.stop(), await fresh.stop()]) {
      expect(report).toMatchObject({ failed: 0, failures: [] })
    }
  })

  it.each([
    [
      'meant for another process',
      { LISTEN_FDS: '1', LISTEN_PID: '1' },
      /^LISTEN_PID is "1", but this is process \d+: .* not npm\n$/,
    ],
    [
      'not there',
      { LISTEN_FDS: '1' },
      /^Cannot listen on descriptor 3 for traffic: .*; LISTEN_FDS says that it was handed down\n$/,
    ],
  ])('says so, and ends, when they are %s', async (_, settings, sentence) => {
    const { exit, stderr } = await fleet.launchProxy('wrong', settings).finished
    expect(stderr).toMatch(sentence)
    expect(exit).toBeGreaterThan(0)
  })
})

describe('a proxy that finishes what it has', () => {
  it('I8 L1 L3 goes on to confirm what is deployed, and ends what drains', async () => {
    const stopping = await fleet.startProxy('stopping')
    await fleet.deploy('news', 'news.test', blue, '--drain-timeout', '500ms')
    const held = await stopping.open('news.test', '/events')
    const last = await stopping.open(HOST, '/download')
    stopping.signal('SIGTERM')
    await using green = await startUpstream('green')
    const flags = ['--host', 'news.test', '--target', green.url]
    const ran = await fleet.cmd('deploy', 'news', ...flags)
    expect(ran.stdout).toMatch(/\n {2}stopping {2}/)
    expect(ran).toMatchObject({ exit: 8 })
    expect(await held.ended()).toBe('cut')
    blue.release()
    expect(await last.ended()).toBe('complete')
    expect(await stopping.finished).toMatchObject({ exit: 0 })
  })
})
