/**
 * `npm start` as somebody types it: everything on one machine, what it prints, what it survives, and
 * that it leaves nothing behind. The tests tell one story, in its order.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findRedisServer } from '../../apps/cmd/src/up/redis-server.ts'
import { ask } from '../support/client.ts'
import { command } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { freePorts, isAlive, isOpen, ownEnvironment } from '../support/machine.ts'
import { ROOT, startProcess, startProgram, type TestProcess } from '../support/process.ts'
import { startedWith, type Started } from '../support/started.ts'
import { askSteadily, labelIn, metric } from '../support/steady.ts'
import { type, type Typed } from '../support/terminal.ts'

const START_MS_MAX = 30_000
const STOP_MS_MAX = 15_000
const HOST = 'hello.localhost'
/** So many connections that two proxies which share a port both get some. */
const MANY = 40

let dataDir = ''
let port = 0
let adminPort = 0
let settings = {
  GATEHOUSE_DATA: '',
  GATEHOUSE_LISTEN: '',
  GATEHOUSE_LISTEN_TLS: '',
  GATEHOUSE_ADMIN: '',
}
let started: Started
let bystander: TestProcess
let up: Typed
let again: TestProcess | undefined

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-start-'))
  // Whatever Redis the tests run with, so that none is fetched for this folder.
  const cacheDir = join(ROOT, '.gatehouse', 'cache')
  const found = await findRedisServer({ cacheDir, environment: process.env })
  if ('missing' in found) throw new Error(found.missing)
  await symlink(cacheDir, join(dataDir, 'cache'))
  port = await freePorts(4)
  adminPort = port + 1
  settings = {
    GATEHOUSE_DATA: dataDir,
    GATEHOUSE_LISTEN: `127.0.0.1:${port}`,
    GATEHOUSE_LISTEN_TLS: `127.0.0.1:${adminPort + 2}`,
    GATEHOUSE_ADMIN: `127.0.0.1:${adminPort}`,
  }
  started = startedWith(settings)
  bystander = startProcess(
    process.execPath,
    ['-e', 'setInterval(() => {}, 1_000)'],
    ownEnvironment({}),
  )
  up = type('npm start', ownEnvironment(settings))
  await isUp(up)
})
afterAll(async () => {
  await up[Symbol.asyncDispose]()
  await again?.stop('SIGINT')
  await started.redisPid().then(
    (pid) => process.kill(pid),
    () => 'it has ended, as it should',
  )
  await bystander.stop()
  await rm(dataDir, { recursive: true, force: true })
})

describe('npm start', () => {
  it('says what runs and what to try, and what it names first answers, through both proxies', async () => {
    expect(up.output()).toContain(
      `Gatehouse is up: 2 proxies on http://127.0.0.1:${port} and https://${settings.GATEHOUSE_LISTEN_TLS}, a worker, a private Redis, the example in two releases.`,
    )
    expect(triesOf(up)[0]).toBe(`curl -H 'Host: ${HOST}' http://127.0.0.1:${port}/`)
    expect(await labels(MANY)).toEqual(new Set(['blue']))
    for (const admin of [adminPort, adminPort + 1]) {
      expect(await metric(admin, 'gatehouse_client_connections_total')).toBeGreaterThan(0)
    }
  })

  it('O7 F14 has made a secret key that only this user can read', async () => {
    expect((await stat(join(dataDir, 'secret.key'))).mode & 0o777).toBe(0o600)
  })

  it('started a second time says that it runs already, and changes nothing', async () => {
    const before = await started.members()
    const second = await type('npm start', ownEnvironment(settings)).finished
    expect(second.exit).toBe(0)
    expect(second.stderr).toMatch(
      /^Gatehouse is running here already \(process \d+\) on (\S+); npm run cmd -- list shows .+$/m,
    )
    expect(second.stderr).toContain(` on http://127.0.0.1:${port};`)
    expect(await started.members()).toEqual(before)
  })

  it('A1 A13 every command it prints works: green is deployed everywhere, and rolled back', async () => {
    const [, deploy, list, secure, trust, history, rollback, ...more] = triesOf(up)
    expect(more).toEqual([])
    const deployed = await typed(deploy)
    expect(deployed.stdout).toContain('hello: release green is active')
    expect(deployed.stdout).toContain('applied by 2 of 2 proxies')
    expect(deployed.stdout).toContain('release blue is drained')
    expect(await labels(MANY)).toEqual(new Set(['green']))
    expect((await typed(secure)).stdout).toContain('green')
    expect((await typed(trust)).stdout).toContain('sudo update-ca-certificates')
    expect((await typed(list)).stdout).toMatch(/\nhello +.*hello\.localhost.* +green +running/)
    expect((await typed(history)).stdout).toMatch(/ReleaseActivated +hello +green/)
    expect((await typed(rollback)).stdout).toContain('hello: release blue is active')
    expect(await labels(MANY)).toEqual(new Set(['blue']))
  })

  it('starts a proxy again that was killed, says so, and the other one loses no request', async () => {
    const { 'proxy-1': doomed } = await started.members()
    await using steady = await steadily(adminPort + 1)
    process.kill(doomed ?? Number.NaN, 'SIGKILL')
    await eventually('it is said', () =>
      up.output().includes('proxy-1 ended with SIGKILL; it is started again in 500 ms (log: '),
    )
    expect(await labels(MANY)).toEqual(new Set(['blue']))
    await eventually(
      'proxy-1 is back',
      async () => {
        const { 'proxy-1': newer } = await started.members()
        return newer !== undefined && newer !== doomed
      },
      START_MS_MAX,
    )
    expect(await steady.stop()).toEqual(new Set(['200 blue']))
  })

  it('L5 starts its Redis again that was killed, says so, and no request is lost', async () => {
    await using one = await steadily(adminPort)
    await using other = await steadily(adminPort + 1)
    process.kill(await started.redisPid(), 'SIGKILL')
    await eventually('it is said', () => up.output().includes('Redis ended and is started again'))
    await eventually(
      'commands work again',
      async () => (await command(settings, 'list')).exit === 0,
      START_MS_MAX,
    )
    const switched = await command(settings, 'switch', 'hello', 'green')
    expect(switched, `switch: ${switched.stderr}`).toMatchObject({ exit: 0 })
    const seen = new Set([...(await one.stop()), ...(await other.stop())])
    expect(seen).toEqual(new Set(['200 blue', '200 green']))
  })

  it('H5 I8 ends everything it started on Ctrl-C, in order, and nothing else', async () => {
    const pids = [...Object.values(await started.members()), await started.redisPid()]
    expect(pids).toHaveLength(4)
    const ports = [port, adminPort, adminPort + 1, ...(await started.examplePorts())]
    const socket = (await started.redisUrl()).replace('unix://', '')
    expect(existsSync(socket)).toBe(true)

    up.pressCtrlC()
    const { exit, stderr } = await up.finished
    expect(exit).toBe(0)
    expect(stderr).toMatch(/^stopping: proxies, worker, example, Redis …\nstopped$/m)
    expect(pids.filter(isAlive)).toEqual([])
    for (const each of ports) expect(await isOpen(each), `port ${each}`).toBe(false)
    expect(existsSync(socket)).toBe(false)
    expect(isAlive(bystander.child.pid ?? Number.NaN)).toBe(true)
  })

  it('A23 started again serves what was deployed, drains nothing, and runs as many proxies as it is told to', async () => {
    again = startUp()
    await isUp(again)
    expect(again.output()).toContain(
      `Gatehouse is up: 1 proxy on http://127.0.0.1:${port} and https:`,
    )
    expect(Object.keys(await started.members()).filter((id) => id.startsWith('proxy'))).toEqual([
      'proxy-1',
    ])
    expect(await labels(MANY)).toEqual(new Set(['green']))
    const shown = await command(settings, 'show', 'hello', '--json')
    expect(JSON.parse(shown.stdout)).toMatchObject({ active: 'green', draining: [] })
    const { stdout } = await command(settings, 'history', 'hello')
    expect(stdout.match(/ReleaseDeclared +hello +\w+/g), 'nothing is deployed again').toHaveLength(
      2,
    )
  })

  it('H5 killed without warning takes its processes along, and the next start goes on with its Redis', async () => {
    const redis = await started.redisPid()
    const pids = Object.values(await started.members())
    const ports = [port, adminPort, ...(await started.examplePorts())]
    await again?.stop('SIGKILL')
    await eventually(
      'all that could write to the log are gone',
      async () => {
        const open = await Promise.all(ports.map(isOpen))
        return !pids.some(isAlive) && !open.includes(true)
      },
      STOP_MS_MAX,
    )

    again = startUp()
    await isUp(again)
    expect(await started.redisPid()).toBe(redis)
    expect(await labels(MANY)).toEqual(new Set(['green']))
    expect(await again.stop('SIGINT')).toMatchObject({ exit: 0 })
    expect(isAlive(redis)).toBe(false)
  })

  it('H5 a process that loses `up` before it has begun ends at once', async () => {
    const leash = join(ROOT, 'apps/cmd/src/up/leash.mjs')
    const args = ['--import', leash, '-e', 'setInterval(() => {}, 1_000)']
    const orphan = startProcess(process.execPath, args, ownEnvironment({}))
    expect(await orphan.finished).toMatchObject({ signal: 'SIGTERM' })
  })

  it.each(['0', 'x', '1000'])('refuses GATEHOUSE_PROXIES=%s with exit 2', async (wrong) => {
    const environment = ownEnvironment({ ...settings, GATEHOUSE_PROXIES: wrong })
    const ended = await startProgram('apps/cmd/src/main.ts', ['up'], environment).finished
    expect(ended).toMatchObject({
      exit: 2,
      stdout: '',
      stderr: `GATEHOUSE_PROXIES is "${wrong}"; expected a whole number from 1 to 64\n`,
    })
  })
})

const startUp = (): TestProcess =>
  startProgram(
    'apps/cmd/src/main.ts',
    ['up'],
    ownEnvironment({ ...settings, GATEHOUSE_PROXIES: '1' }),
  )

const isUp = (typedIn: Pick<TestProcess, 'output' | 'finished'>): Promise<true> => {
  let ended = false
  void typedIn.finished.then(() => (ended = true))
  return eventually(
    'Gatehouse is up',
    () => {
      if (typedIn.output().includes('Stop: Ctrl-C')) return true
      if (ended) throw new Error(`it has ended: ${typedIn.output()}`)
      return false
    },
    START_MS_MAX,
  )
}

/** The commands of the guide, as they can be copied. */
const triesOf = ({ output }: Typed): readonly string[] =>
  output()
    .split('\n')
    .flatMap((line) => /^ {2}(\S.*?) +# /.exec(line)?.[1] ?? [])

/** Types a line that was printed into another terminal, and expects it to end well. */
const typed = async (line: string | undefined) => {
  const ended = await type(line ?? 'false', ownEnvironment({ GATEHOUSE_DATA: dataDir })).finished
  expect(ended, `${line}: ${ended.stderr}`).toMatchObject({ exit: 0 })
  return ended
}

/** What so many clients are told, each on a connection of its own. */
const labels = async (count: number): Promise<ReadonlySet<string>> => {
  const answers = await Promise.all(Array.from({ length: count }, () => ask(port, { host: HOST })))
  return new Set(answers.map(({ status, body }) => (status === 200 ? labelIn(body) : `${status}`)))
}

const steadily = (admin: number) => askSteadily({ port, admin, host: HOST })
