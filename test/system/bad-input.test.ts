/**
 * What is wrong is told in one clear sentence with its exit code, and changes nothing: not the log, not
 * the routes, not the traffic.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startFleet, type Settings, type TestFleet } from '../support/fleet.ts'
import { freePorts, ownEnvironment } from '../support/machine.ts'
import { startOldRedis, startReplica, type OddRedis } from '../support/odd-redis.ts'
import { startProcess, startProgram, type TestProcess } from '../support/process.ts'
import { servedBy, type TestProxy } from '../support/proxy.ts'
import { snapshotAndTrim } from '../support/trim.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

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

/** Everything that bad input must leave as it is. */
const standing = async () => {
  const proxy = fleet.proxy('proxy-1')
  const routes = await proxy.admin('/routes')
  const { status, body } = await proxy.ask('shop.test')
  return { position: await fleet.position(), routes: routes.text, status, body }
}

describe('a command', () => {
  const spec = { service: 'blog', hosts: ['blog.test'], target_url: 'http://127.0.0.1:9' }
  const files: Readonly<Record<string, string>> = {
    'broken.json': '{\n  "service": "blog",\n  "hosts": ["blog.test"\n}\n',
    'broken.yaml': 'service: blog\nhosts: [blog.test\ntarget_url: http://127.0.0.1:9\n',
    'field.json': `{"helth_path":\n"/x",${JSON.stringify(spec).slice(1)}`,
    'type.json': JSON.stringify({ ...spec, target_url: 5 }),
    'host.json': JSON.stringify({ ...spec, hosts: ['blog.test', 'SHOP.test.'] }),
    'noise.json': '\u0000\u0001\u0002',
  }

  beforeAll(async () => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    await writeFile(join(folder, 'latin.json'), Buffer.from([0x7b, 0xe9, 0xff]))
  })

  it.each([
    [
      'a spec that is not there',
      'deploy tpye.json',
      2,
      /: there is no such file; did you mean "type\.json"\?$/,
    ],
    ['a folder', 'deploy .', 2, /: is a folder; expected a spec file$/],
    ['a spec in another encoding', 'deploy latin.json', 2, /latin\.json: is not text in UTF-8$/],
    [
      'JSON that breaks off',
      'deploy broken.json',
      2,
      /broken\.json:4:1: is not JSON: expected .+$/,
    ],
    ['YAML that breaks off', 'deploy broken.yaml', 2, /broken\.yaml:\d+: is not YAML: .+$/],
    ['noise', 'deploy noise.json', 2, /noise\.json: is not JSON: .+$/],
    [
      'an unknown field',
      'deploy field.json',
      2,
      /field\.json:1: helth_path: unknown field; did you mean "health_path"\?$/,
    ],
    [
      'a wrong type',
      'deploy type.json',
      2,
      /type\.json:1: target_url: found 5; expected a URL, or .+$/,
    ],
    [
      "another service's host",
      'deploy host.json',
      5,
      /^Cannot deploy: host shop\.test belongs to service shop; --take-over moves it$/,
    ],
    [
      'an unknown service',
      'drain shpo',
      1,
      /^Cannot drain: there is no service "shpo"; did you mean "shop"\?$/,
    ],
    [
      'an unknown release',
      'switch shop bleu',
      1,
      /^Cannot switch: service shop has no release "bleu"; it knows blue; did you mean "blue"\?$/,
    ],
    [
      'no release before',
      'rollback shop',
      1,
      /^Cannot rollback: service shop has no release that was active before$/,
    ],
    [
      'an unknown verb',
      'swich shop blue',
      2,
      /^error: unknown command 'swich'\n\(Did you mean switch\?\)$/,
    ],
    ['a target that is no URL', 'deploy blog --host blog.test --target ftp://10.0.0.5', 2, /ftp/],
  ] as const)('C12 refuses %s', async (_what, line, exit, sentence) => {
    const before = await standing()
    const args = line
      .split(' ')
      .map((word) => (/json|yaml|^\.$/.test(word) ? join(folder, word) : word))
    const ran = await fleet.startCmd(...args).finished
    expect(ran).toMatchObject({ exit, stdout: '' })
    expect(ran.stderr.trimEnd()).toMatch(sentence)
    expect(await standing()).toEqual(before)
  })
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
      const before = await standing()
      const environment = ownEnvironment({ GATEHOUSE_REDIS_URL: url(), GATEHOUSE_DATA: folder })
      const args = ['switch', 'shop', 'blue']
      const ran = await startProgram('apps/cmd/src/main.ts', args, environment).finished
      expect(ran).toMatchObject({ exit: 6, stdout: '' })
      expect(ran.stderr.trimEnd()).toMatch(sentence)
      expect(await standing()).toEqual(before)
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
      const said = await eventually(
        'it says so',
        () => messages(proxy).find((each) => each.includes('Redis at')),
        START_MS_MAX,
      )
      expect(said.replace(/^.*?(?=Redis at)/, '')).toMatch(sentence)
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

describe('a proxy that is set up wrongly', () => {
  it.each([
    [
      'GATEHOUSE_REDIS_URL',
      'http://127.0.0.1:6379',
      /^GATEHOUSE_REDIS_URL starts with "http:"; expected one of redis:\/\/, /,
    ],
    ['GATEHOUSE_FLEET', 'a b', /^GATEHOUSE_FLEET is "a b"; expected a name of letters, /],
    [
      'GATEHOUSE_LISTEN',
      '8080',
      /^GATEHOUSE_LISTEN is "8080"; expected host:port, such as 127\.0\.0\.1:8080$/,
    ],
    [
      'GATEHOUSE_LISTEN',
      '127.0.0.1:8080,here',
      /^GATEHOUSE_LISTEN is "here"; expected host:port, /,
    ],
    [
      'GATEHOUSE_ADMIN',
      '127.0.0.1:99999',
      /^GATEHOUSE_ADMIN is "127\.0\.0\.1:99999"; expected host:port, such as 127\.0\.0\.1:9900$/,
    ],
    ['GATEHOUSE_PROXY_ID', 'näme', /^GATEHOUSE_PROXY_ID is "näme"; expected letters, digits, /],
  ])('says which setting it is, and ends with 2: %s=%s', async (variable, value, sentence) => {
    const ended = await fleet.launchProxy('wrong', { [variable]: value }).finished
    expect(ended).toMatchObject({ exit: 2, stdout: '' })
    expect(ended.stderr.trimEnd()).toMatch(sentence)
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it.each([
    ['GATEHOUSE_LISTEN', 'for traffic'],
    ['GATEHOUSE_ADMIN', 'for the admin listener'],
  ])('H4 names the port that another program has, and the setting: %s', async (variable, what) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const ended = await fleet.launchProxy('busy', { [variable]: address }).finished
      expect(ended).toMatchObject({
        exit: 1,
        stderr: `Cannot listen on ${address} ${what}: the port is in use; ${variable} sets another address\n`,
      })
    } finally {
      server.close()
    }
  })

  it('names a data folder that cannot be made, and the setting', async () => {
    const file = join(folder, 'a-file')
    await writeFile(file, '')
    const ended = await fleet.launchProxy('homeless', { GATEHOUSE_DATA: file }).finished
    expect(ended).toMatchObject({
      exit: 1,
      stdout: '',
      stderr: `Cannot keep a local copy below ${file}: there is a file in its place; GATEHOUSE_DATA sets another folder\n`,
    })
  })
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
    const proxyMain = 'exec "$0" apps/proxy/src/main.ts'
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

/** What a program has logged, without time and level. */
const messages = (program: TestProcess): readonly string[] =>
  program
    .output()
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [String(Object(JSON.parse(line)).msg)] : []))
