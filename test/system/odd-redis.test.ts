/** A Redis that is away, too old, read-only, or full of something else: everybody says so, and nothing changes. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startFleet, type Settings, type TestFleet } from '../support/fleet.ts'
import { freePorts, ownEnvironment } from '../support/machine.ts'
import { startOldRedis, startReplica, type OddRedis } from '../support/odd-redis.ts'
import { startProgram } from '../support/process.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import { messages } from '../support/messages.ts'
import { standing } from '../support/standing.ts'

const AWAY = 'redis://127.0.0.1:9'
const START_MS_MAX = 20_000

let folder = ''
let fleet: TestFleet
let blue: Upstream
let green: Upstream

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-bad-'))
  blue = await startUpstream('blue')
  green = await startUpstream('green')
  fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 1 })
  await fleet.deploy('shop', 'shop.test', blue)
})
afterAll(async () => {
  await fleet[Symbol.asyncDispose]()
  await Promise.all([blue.stop(), green.stop()])
  await rm(folder, { recursive: true, force: true })
})

describe('a Redis that is of no use', () => {
  let old: OddRedis
  let replica: OddRedis
  const cases = [
    ['away', () => AWAY, /^Redis at redis:\/\/127\.0\.0\.1:9 cannot be reached: .+$/],
    [
      'too old',
      () => old.url,
      /^Redis at redis:\/\/127\.0\.0\.1:\d+ is version 6\.2\.14; expected at least 7\.0$/,
    ],
    [
      'a replica',
      () => replica.url,
      /^Redis at redis:\/\/127\.0\.0\.1:\d+ is a read-only replica; expected the primary.*$/,
    ],
  ] as const

  beforeAll(async () => {
    ;[old, replica] = await Promise.all([startOldRedis(), startReplica(inject('redisTcpUrl'))])
  })
  afterAll(async () => {
    await Promise.all([old[Symbol.asyncDispose](), replica[Symbol.asyncDispose]()])
  })

  it.each(cases)(
    'A22 is told by a command in one sentence with exit 6: %s',
    async (_what, url, sentence) => {
      const before = await standing(fleet)
      const environment = ownEnvironment({ GATEHOUSE_REDIS_URL: url(), GATEHOUSE_DATA: folder })
      const args = ['switch', 'shop', 'blue']
      const ran = await startProgram('apps/cmd/src/main.ts', args, environment).finished
      expect(ran).toMatchObject({ exit: 6, stdout: '' })
      expect(ran.stderr.trimEnd()).toMatch(sentence)
      expect(await standing(fleet)).toEqual(before)
    },
  )

  it.each(cases.slice(1))(
    'A22 is told by a worker, which ends with 6: %s',
    async (_what, url, sentence) => {
      const environment = ownEnvironment({ GATEHOUSE_REDIS_URL: url(), GATEHOUSE_DATA: folder })
      const ended = await startProgram('apps/worker/src/main.ts', [], environment).finished
      expect(ended).toMatchObject({ exit: 6 })
      expect(ended.stderr.trimEnd()).toMatch(sentence)
    },
  )

  it.each(cases)(
    'A22 is told by a proxy, which waits, is not ready, and ends when told to: %s',
    async (what, url, sentence) => {
      const admin = `127.0.0.1:${await freePorts(1)}`
      await using proxy = fleet.launchProxy('lost', {
        GATEHOUSE_REDIS_URL: url(),
        GATEHOUSE_ADMIN: admin,
        GATEHOUSE_DATA: join(folder, 'lost'),
      })
      // Its heartbeat may have found out before, and have said what it was refused.
      const said = await eventually(
        'it says so',
        () => messages(proxy).find((each) => sentence.test(each.replace(/^.*?(?=Redis at)/, ''))),
        START_MS_MAX,
      )
      expect(messages(proxy).filter((each) => each === said)).toHaveLength(1)
      const ready = await eventually('it answers', () => fetch(`http://${admin}/readyz`))
      expect(ready.status).toBe(503)
      const why = await ready.text()
      expect(why).toMatch(
        what === 'away' ? /^has no routes yet: / : /^has no routes yet: .*Redis at /,
      )
      expect((await fetch(`http://${admin}/healthz`)).status).toBe(200)
      expect(await proxy.stop()).toMatchObject({ exit: 0 })
    },
  )

  it('A25 is told where something else lies in the place of the log', async () => {
    const name = `${fleet.name}-odd`
    const redis = new Redis(inject('redisUrl').replace('unix://', ''))
    await redis.set(`{gatehouse:${name}}:events`, 'not a log')
    redis.disconnect()
    const own: Settings = { GATEHOUSE_REDIS_URL: inject('redisUrl'), GATEHOUSE_FLEET: name }
    const sentence =
      /^Redis at unix:.+ holds something else under a key of Gatehouse: WRONGTYPE .+$/
    const ran = await startProgram('apps/cmd/src/main.ts', ['list'], ownEnvironment(own)).finished
    expect(ran).toMatchObject({ exit: 6, stdout: '' })
    expect(ran.stderr.trimEnd()).toMatch(sentence)
    await using proxy = fleet.launchProxy('odd', own)
    await eventually(
      'the proxy says so',
      () => messages(proxy).some((each) => each.includes('holds something else under a key')),
      START_MS_MAX,
    )
    expect(proxy.running()).toBe(true)
  })
})
