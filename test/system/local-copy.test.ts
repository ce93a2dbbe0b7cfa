/** What a proxy keeps on disk is torn, corrupt, or finds no room. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startFleet, type Settings, type TestFleet } from '../support/fleet.ts'
import { freePorts, ownEnvironment } from '../support/machine.ts'
import { startProcess } from '../support/process.ts'
import { servedBy, type TestProxy } from '../support/proxy.ts'
import { snapshotAndTrim } from '../support/trim.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import { messages } from '../support/messages.ts'

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

describe('a local copy', () => {
  const dataDir = () => join(folder, 'copies')
  const copy = (id: string, file: string): string =>
    join(dataDir(), `copy-${fleet.name}-${id}`, file)
  const start = (id: string, own: Settings = {}): Promise<TestProxy> =>
    fleet.startProxy(id, { GATEHOUSE_DATA: dataDir(), ...own })

  it('L9 with a torn tail is used as far as it is whole, and completed', async () => {
    const first = await start('torn')
    await fleet.deploy('late', 'late.test', green)
    await first.stop('SIGKILL')
    const tail = await readFile(copy('torn', 'tail.ndjson'), 'utf8')
    await writeFile(copy('torn', 'tail.ndjson'), tail.slice(0, -20))

    await using stale = await start('torn', { GATEHOUSE_REDIS_URL: AWAY })
    expect(messages(stale)).toContain(
      'the route table is stale: served from the local copy, without the log',
    )
    expect((await stale.ask('shop.test')).body).toBe('blue')
    expect((await stale.ask('late.test')).status, 'its activation was torn').not.toBe(200)
    await stale.stop('SIGKILL')

    // Without waiting: a proxy serves once it is where the log is.
    const whole = await start('torn')
    expect((await whole.ask('late.test')).body).toBe('green')
    await whole.stop()
    await using again = await start('torn', { GATEHOUSE_REDIS_URL: AWAY })
    expect(await again.metric('gatehouse_route_table_position')).toBe(await fleet.position())
    expect((await again.ask('late.test')).body).toBe('green')
  })

  it('A26 L9 whose snapshot is corrupt is not used, which is said, with Redis and without', async () => {
    await snapshotAndTrim(fleet)
    await (await start('corrupt')).stop('SIGKILL')
    const path = copy('corrupt', 'snapshot.json')
    const whole = await readFile(path, 'utf8')
    await writeFile(path, whole.replace('shop.test', 'shop.tset'))
    const sentence = `the local copy is not used: ${path} does not match its checksum`

    const admin = `127.0.0.1:${await freePorts(1)}`
    const away = { GATEHOUSE_REDIS_URL: AWAY, GATEHOUSE_ADMIN: admin, GATEHOUSE_DATA: dataDir() }
    await using lost = fleet.launchProxy('corrupt', away)
    await eventually('it says so', () => messages(lost).includes(sentence), START_MS_MAX)
    const ready = await eventually('it answers', () => fetch(`http://${admin}/readyz`))
    expect(ready.status).toBe(503)
    expect(await ready.text()).toBe('has no routes yet: has not reached the log yet\n')
    await lost.stop()

    await using proxy = await start('corrupt')
    expect(messages(proxy)).toContain(sentence)
    expect((await proxy.ask('shop.test')).body).toBe('blue')
    expect(await readFile(path, 'utf8')).toBe(whole)
  })

  it('L9 for which there is no room is told once, and the proxy serves on and ends in order', async () => {
    const data = join(folder, 'full')
    await mkdir(data)
    // The shell's limit on what a process may write into a file stands for a disk that is full.
    const proxyMain = 'exec "$0" apps/proxy/src/main.mjs'
    const started = startProcess(
      'sh',
      ['-c', `ulimit -f 1 && ${proxyMain}`, process.execPath],
      ownEnvironment({
        GATEHOUSE_REDIS_URL: inject('redisUrl'),
        GATEHOUSE_FLEET: fleet.name,
        GATEHOUSE_DATA: data,
        GATEHOUSE_PROXY_ID: 'full',
        GATEHOUSE_LISTEN: '127.0.0.1:0',
        GATEHOUSE_ADMIN: '127.0.0.1:0',
        NODE_DISABLE_COMPILE_CACHE: '1',
      }),
    )
    await using full = await eventually('it serves', () => servedBy(started, 'full'), START_MS_MAX)
    expect((await full.ask('shop.test')).body).toBe('blue')
    await fleet.deploy('shop', 'shop.test', green)
    expect((await full.ask('shop.test')).body).toBe('green')
    await fleet.deploy('shop', 'shop.test', blue)
    expect((await full.ask('shop.test')).body).toBe('blue')
    expect(
      messages(full).filter((each) => each.startsWith('cannot keep the local copy in')),
    ).toEqual([expect.stringMatching(/^cannot keep the local copy in .*copy-.*-full: .+$/)])
    expect(await full.stop()).toMatchObject({ exit: 0, stderr: '' })
  })
})
