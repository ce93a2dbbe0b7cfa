/** Redis goes away, with everything that depends on it, and comes back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startFleet, type TestFleet } from '../support/fleet.ts'
import { startLoad } from '../support/load.ts'
import { startOwnRedis, type OwnRedis } from '../support/own-redis.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

/** Without an answer for so long, a proxy does not count as connected. */
const LEASE_MS = 5_000

let redis: OwnRedis
let fleet: TestFleet
let blue: Upstream
let green: Upstream

beforeAll(async () => {
  blue = await startUpstream('blue')
  green = await startUpstream('green')
  redis = await startOwnRedis()
  fleet = await startFleet({ redisUrl: redis.url })
})
afterAll(async () => {
  await fleet[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
  await Promise.all([blue.stop(), green.stop()])
})

describe('without Redis', () => {
  it(
    'A22 I8 L5 L9 proxies serve, commands exit 6, a cold start serves from its copy and says so, and all catch up',
    { timeout: 90_000 },
    async () => {
      await fleet.deploy('shop', 'shop.test', blue)
      const ports = fleet.proxies().map(({ port }) => port)
      await using load = await startLoad({
        ports,
        host: 'shop.test',
        accept: ['blue'],
        pauseMs: 10,
      })
      // Killed, so that its copy is all that it left; started again when there is nobody to ask.
      await using _ = { [Symbol.asyncDispose]: () => redis.start().catch(() => undefined) }
      const before = await Promise.all(['third', 'fourth'].map((id) => fleet.startProxy(id)))
      await Promise.all(before.map((proxy) => proxy.stop('SIGKILL')))
      await redis.stop()

      const [failed, third, fourth] = await Promise.all([
        fleet.startCmd('switch', 'shop', 'green').finished,
        fleet.startProxy('third'),
        fleet.startProxy('fourth'),
      ])
      expect(failed).toMatchObject({ exit: 6, stdout: '' })
      expect(failed.stderr).toContain('cannot be reached')
      expect(failed.stderr.trimEnd().split('\n')).toHaveLength(1)

      expect((await third.ask('shop.test')).body).toBe('blue')
      expect(third.output()).toContain('the route table is stale')
      for (const proxy of fleet.proxies()) {
        expect((await proxy.ask('shop.test')).body).toBe('blue')
        await eventually(
          `${proxy.id} says how old its table may be`,
          async () => ((await proxy.metric('gatehouse_route_table_stale_seconds')) ?? 0) > 0,
          LEASE_MS + 2_000,
        )
        expect(await proxy.metric('gatehouse_redis_connected')).toBe(0)
      }
      await load.answers(100)
      expect(await fourth.stop('SIGTERM'), 'it ends in order without Redis').toMatchObject({
        exit: 0,
      })

      await redis.start()
      await load.accept('blue', 'green')
      await eventually(
        'every proxy is heard again, and the one that could not say good-bye is not waited for',
        async () => {
          const live = (await fleet.members()).filter((member) => member.live)
          const proxies = live.filter(({ kind }) => kind === 'proxy').map(({ id }) => id)
          const running = fleet.proxies().map(({ id }) => id)
          const same = proxies.toSorted().join() === running.toSorted().join()
          return (
            same && live.length > proxies.length && live.every(({ notes }) => notes.length === 0)
          )
        },
        15_000,
      )
      await fleet.deploy('shop', 'shop.test', green)
      await load.accept('green')
      await load.answers(50)
      expect(await load.stop()).toMatchObject({ failed: 0, failures: [] })
      expect((await third.ask('shop.test')).body).toBe('green')
      expect(await third.metric('gatehouse_route_table_stale_seconds')).toBe(0)
    },
  )
})
