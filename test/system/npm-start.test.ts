/**
 * `npm start` as somebody types it: everything on one machine, what it prints, what it survives, and
 * that it leaves nothing behind. The tests tell one story, in its order.
 */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findRedisServer } from '../../apps/cmd/src/up/redis-server.ts'
import { ask } from '../support/client.ts'
import { command } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { freePorts, isAlive, ownEnvironment } from '../support/machine.ts'
import { ROOT, startProcess, startProgram, type TestProcess } from '../support/process.ts'
import { type, type Typed } from '../support/terminal.ts'

const START_MS_MAX = 30_000
const STOP_MS_MAX = 15_000
const HOST = 'hello.localhost'
/** So many connections that two proxies which share a port both get some. */
const MANY = 40

let dataDir = ''
let port = 0
let adminPort = 0
let settings: Readonly<Record<string, string>> = {}
let bystander: TestProcess
let up: Typed

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-start-'))
  // Whatever Redis the tests run with, so that none is fetched for this folder.
  const cacheDir = join(ROOT, '.gatehouse', 'cache')
  const found = await findRedisServer({ cacheDir, environment: process.env })
  if ('missing' in found) throw new Error(found.missing)
  await symlink(cacheDir, join(dataDir, 'cache'))
  port = await freePorts(3)
  adminPort = port + 1
  settings = {
    GATEHOUSE_DATA: dataDir,
    GATEHOUSE_LISTEN: `127.0.0.1:${port}`,
    GATEHOUSE_ADMIN: `127.0.0.1:${adminPort}`,
  }
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
  await bystander.stop()
  await rm(dataDir, { recursive: true, force: true })
})

describe('npm start', () => {
  it('says what runs and what to try, and what it names first answers, through both proxies', async () => {
    expect(up.output()).toContain(
      `Gatehouse is up: 2 proxies on http://127.0.0.1:${port}, a worker, a private Redis, the example in two releases.`,
    )
    expect(triesOf(up)[0]).toBe(`curl -H 'Host: ${HOST}' http://127.0.0.1:${port}/`)
    expect(await labels(MANY)).toEqual(new Set(['blue']))
    for (const admin of [adminPort, adminPort + 1]) {
      expect(await metric(admin, 'gatehouse_client_connections_total')).toBeGreaterThan(0)
    }
  })

  it('started a second time says that it runs already, and changes nothing', async () => {
    const before = await members()
    const second = await type('npm start', ownEnvironment(settings)).finished
    expect(second.exit).toBe(0)
    expect(second.stderr).toMatch(
      /^Gatehouse is running here already \(process \d+\) on http:\/\/127\.0\.0\.1:\d+; npm run cmd -- list shows what it serves\n$/,
    )
    expect(second.stderr).toContain(`on http://127.0.0.1:${port};`)
    expect(await members()).toEqual(before)
  })

  it('A1 A13 every command it prints works: green is deployed everywhere, and rolled back', async () => {
    const [, deploy, list, history, rollback, ...more] = triesOf(up)
    expect(more).toEqual([])
    const deployed = await typed(deploy)
    expect(deployed.stdout).toContain('hello: release green is active')
    expect(deployed.stdout).toContain('applied by 2 of 2 proxies')
    expect(deployed.stdout).toContain('release blue is drained')
    expect(await labels(MANY)).toEqual(new Set(['green']))
    expect((await typed(list)).stdout).toMatch(/\nhello +.*hello\.localhost.* +green +running/)
    expect((await typed(history)).stdout).toMatch(/ReleaseActivated +hello +green/)
    expect((await typed(rollback)).stdout).toContain('hello: release blue is active')
    expect(await labels(MANY)).toEqual(new Set(['blue']))
  })

  it('starts a proxy again that was killed, says so, and the other one loses no request', async () => {
    const { 'proxy-1': doomed } = await members()
    await using steady = await askSteadily(adminPort + 1)
    process.kill(doomed ?? Number.NaN, 'SIGKILL')
    await eventually('it is said', () =>
      up.output().includes('proxy-1 ended with SIGKILL; it is started again in 500 ms (log: '),
    )
    expect(await labels(MANY)).toEqual(new Set(['blue']))
    await eventually(
      'proxy-1 is back',
      async () => {
        const { 'proxy-1': again } = await members()
        return again !== undefined && again !== doomed
      },
      START_MS_MAX,
    )
    expect(await steady.stop()).toEqual(new Set(['200 blue']))
  })

  it('L5 starts its Redis again that was killed, says so, and no request is lost', async () => {
    await using one = await askSteadily(adminPort)
    await using other = await askSteadily(adminPort + 1)
    process.kill(await redisPid(), 'SIGKILL')
    await eventually('it is said', () => up.output().includes('Redis ended and is started again'))
    await eventually(
      'commands work again',
      async () => (await command(settings, 'list')).exit === 0,
      START_MS_MAX,
    )
    const switched = await command(settings, 'switch', 'hello', 'green')
    expect(switched, switched.stderr).toMatchObject({ exit: 0 })
    const seen = new Set([...(await one.stop()), ...(await other.stop())])
    expect(seen).toEqual(new Set(['200 blue', '200 green']))
  })

  it('H5 I8 ends everything it started on Ctrl-C, in order, and nothing else', async () => {
    const started = [...Object.values(await members()), await redisPid()]
    expect(started).toHaveLength(4)
    const ports = [port, adminPort, adminPort + 1, ...(await examplePorts())]
    const socket = (await redisUrl()).replace('unix://', '')
    expect(existsSync(socket)).toBe(true)

    up.pressCtrlC()
    const { exit, stderr } = await up.finished
    expect(exit).toBe(0)
    expect(stderr).toMatch(/stopping: proxies, worker, example, Redis …\nstopped\n$/)
    expect(started.filter(isAlive)).toEqual([])
    for (const each of ports) expect(await isOpen(each), `port ${each}`).toBe(false)
    expect(existsSync(socket)).toBe(false)
    expect(isAlive(bystander.child.pid ?? Number.NaN)).toBe(true)
  })

  it('A23 started again serves what was deployed, does not drain it, and runs as many proxies as it is told to', async () => {
    const once = { ...settings, GATEHOUSE_PROXIES: '1' }
    await using again = startProgram('apps/cmd/src/main.ts', ['up'], ownEnvironment(once))
    await isUp(again)
    expect(again.output()).toContain(`Gatehouse is up: 1 proxy on http://127.0.0.1:${port}, `)
    expect(Object.keys(await members()).filter((id) => id.startsWith('proxy'))).toEqual(['proxy-1'])
    expect(await labels(MANY)).toEqual(new Set(['green']))
    const { stdout } = await command(settings, 'show', 'hello', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ active: 'green', draining: [] })

    // Killed without warning, it takes its processes along; only the log's server is left, which has
    // nobody to write to it, and which the next start goes on with and ends.
    const redis = await redisPid()
    const started = Object.values(await members())
    const ports = [port, adminPort, ...(await examplePorts())]
    await again.stop('SIGKILL')
    await eventually(
      'all of them are gone',
      async () => {
        const open = await Promise.all(ports.map(isOpen))
        return !started.some(isAlive) && !open.includes(true)
      },
      STOP_MS_MAX,
    )

    await using next = startProgram('apps/cmd/src/main.ts', ['up'], ownEnvironment(once))
    await isUp(next)
    expect(await redisPid()).toBe(redis)
    expect(await labels(MANY)).toEqual(new Set(['green']))
    expect(await next.stop('SIGINT')).toMatchObject({ exit: 0 })
    expect(isAlive(redis)).toBe(false)
  })

  it('H5 a process that loses `up` before it has begun ends at once', async () => {
    const leash = join(ROOT, 'apps/cmd/src/up/leash.ts')
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

const isUp = (started: Pick<TestProcess, 'output' | 'finished'>): Promise<true> => {
  let ended = false
  void started.finished.then(() => (ended = true))
  return eventually(
    'Gatehouse is up',
    () => {
      if (started.output().includes('Stop: Ctrl-C')) return true
      if (ended) throw new Error(`it has ended: ${started.output()}`)
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

const labelIn = (body: string): string => /blue|green/.exec(body)?.[0] ?? body

interface Steady extends AsyncDisposable {
  /** Every different answer that there was. */
  readonly stop: () => Promise<ReadonlySet<string>>
}

/** Asks one question after the other on one connection to the proxy with this admin port. */
const askSteadily = async (admin: number): Promise<Steady> => {
  const agent = await eventually('a connection to that proxy', async () => {
    const connection = new Agent({ keepAlive: true, maxSockets: 1 })
    const before = await metric(admin, 'gatehouse_client_connections_total')
    await askOn(connection)
    if ((await metric(admin, 'gatehouse_client_connections_total')) > before) return connection
    connection.destroy()
    return undefined
  })
  const seen = new Set<string>()
  let stopped = false
  const asking = (async () => {
    while (!stopped) seen.add(await askOn(agent).catch((error: unknown) => String(error)))
  })()
  const stop = async (): Promise<ReadonlySet<string>> => {
    stopped = true
    await asking
    agent.destroy()
    return seen
  }
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) }
}

const askOn = async (agent: Agent): Promise<string> => {
  const request = get({ host: '127.0.0.1', port, headers: { host: HOST }, agent })
  const [response] = await once(request, 'response')
  let body = ''
  for await (const text of response.setEncoding('utf8')) body += String(text)
  return `${response.statusCode} ${labelIn(body)}`
}

const metric = async (admin: number, name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1))
}

/** The process of every proxy by its name, and of the worker. */
const members = async (): Promise<Readonly<Record<string, number>>> => {
  const { stdout, stderr } = await command(settings, 'fleet', '--json')
  if (stdout === '') throw new Error(stderr)
  const found: readonly { id: string; kind: string; pid: number; live: boolean }[] =
    JSON.parse(stdout).members
  return Object.fromEntries(
    found
      .filter(({ live }) => live)
      .map(({ id, kind, pid }) => [kind === 'proxy' ? id : kind, pid]),
  )
}

const redisUrl = async (): Promise<string> =>
  (await readFile(join(dataDir, 'redis.url'), 'utf8')).trim()

const redisPid = async (): Promise<number> => {
  const redis = new Redis((await redisUrl()).replace('unix://', ''))
  try {
    return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1])
  } finally {
    redis.disconnect()
  }
}

/** The ports of the example's two releases, which move when somebody else has them. */
const examplePorts = async (): Promise<readonly number[]> => {
  const { stdout } = await command(settings, 'show', 'hello')
  return [...stdout.matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)].map(([, found]) => Number(found))
}

const isOpen = async (each: number): Promise<boolean> =>
  ask(each, { host: HOST }).then(
    () => true,
    () => false,
  )
