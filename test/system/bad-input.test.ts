/**
 * What is wrong is told in one clear sentence with its exit code, and changes nothing: not the log, not
 * the routes, not the traffic.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startFleet, type TestFleet } from '../support/fleet.ts'
import { standing } from '../support/standing.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

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
    const before = await standing(fleet)
    const args = line
      .split(' ')
      .map((word) => (/json|yaml|^\.$/.test(word) ? join(folder, word) : word))
    const ran = await fleet.startCmd(...args).finished
    expect(ran).toMatchObject({ exit, stdout: '' })
    expect(ran.stderr.trimEnd()).toMatch(sentence)
    expect(await standing(fleet)).toEqual(before)
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
    [
      'GATEHOUSE_CONNECTIONS_MAX',
      'many',
      /^GATEHOUSE_CONNECTIONS_MAX is "many"; expected a whole number from 1 on$/,
    ],
    [
      'GATEHOUSE_TRUSTED_PROXIES',
      '10.0.0.0/8, lb.internal',
      /^GATEHOUSE_TRUSTED_PROXIES: "lb\.internal" is not a range of addresses; expected one such as /,
    ],
    ['GATEHOUSE_PROXY_ID', 'näme', /^GATEHOUSE_PROXY_ID is "näme"; expected letters, digits, /],
    ['GATEHOUSE_PARANOID', 'yes', /^GATEHOUSE_PARANOID is "yes"; expected 1 or 0$/],
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
