/**
 * A whole fleet in processes of its own, as somebody would run it: proxies, workers and the command
 * line, on a Redis that tests share. Fleets are told apart by their name, so they run side by side.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { GatewayEvent } from '@gatehouse/domain'
import { run } from '../../apps/cmd/src/run.ts'
import type { MemberView } from '../../apps/cmd/src/verbs/fleet.ts'
import { eventually } from './eventually.ts'
import { servedBy, type TestProxy } from './proxy.ts'
import { ROOT, startProcess, startProgram, type Finished, type TestProcess } from './process.ts'

const START_MS_MAX = 20_000

export interface TestFleet extends AsyncDisposable {
  readonly name: string
  readonly redisUrl: string
  /** Every proxy that was started and has not ended since, by name. */
  readonly proxies: () => readonly TestProxy[]
  readonly proxy: (id: string) => TestProxy
  /** The command line in this process: as quick as its own work. */
  readonly cmd: (...args: readonly string[]) => Promise<Ran>
  /** The same, answered with what `--json` prints. */
  readonly json: (...args: readonly string[]) => Promise<unknown>
  /** Deploys a release with flags, for tests that begin where it is active. Throws when it is not. */
  readonly deploy: (
    service: string,
    host: string,
    release: { readonly label: string; readonly url: string },
    ...more: readonly string[]
  ) => Promise<Ran>
  /** The command line in a process of its own. */
  readonly startCmd: (...args: readonly string[]) => TestProcess
  /** The same exactly as it is typed: `npm run cmd -- …`. */
  readonly npmRunCmd: (...args: readonly string[]) => TestProcess
  /** `sockets`: bound ones that it is to serve on, handed down as systemd does. */
  readonly startProxy: (
    id: string,
    settings?: Settings,
    sockets?: readonly number[],
  ) => Promise<TestProxy>
  /** Starts a proxy that may not get as far as serving. */
  readonly launchProxy: (
    id: string,
    settings?: Settings,
    sockets?: readonly number[],
  ) => TestProcess
  readonly startWorker: (settings?: Settings) => Promise<TestProcess>
  /** Who has a lease, and how each stands to the log: what `fleet` says. */
  readonly members: () => Promise<readonly MemberView[]>
  /** Waits until every proxy is at the newest position, with the table that the log gives there. */
  readonly agreed: () => Promise<readonly MemberView[]>
  /** What happened to a service, oldest first. */
  readonly events: (service: string) => Promise<readonly GatewayEvent[]>
  /** How long the log is. */
  readonly position: () => Promise<number>
  /** Writes an entry past everything of ours, as a stranger with access to Redis could. */
  readonly appendByHand: (field: string, value: string) => Promise<void>
  /** Writes a spec into the fleet's folder and returns its path. */
  readonly spec: (fields: Readonly<Record<string, unknown>>) => Promise<string>
}

export type { TestProxy }

export type Settings = Readonly<Record<string, string>>

export type Ran = Pick<Finished, 'stdout' | 'stderr'> & { readonly exit: number | null }

export interface FleetOptions {
  readonly redisUrl: string
  readonly proxies?: number
  readonly workers?: number
}

export const startFleet = async ({
  redisUrl,
  proxies = 2,
  workers = 1,
}: FleetOptions): Promise<TestFleet> => {
  const name = `test-${randomUUID().slice(0, 8)}`
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-fleet-'))
  const settings = {
    GATEHOUSE_REDIS_URL: redisUrl,
    GATEHOUSE_FLEET: name,
    GATEHOUSE_DATA: dataDir,
    NO_COLOR: '1',
  }
  const redis = new Redis(redisUrl.replace(/^unix:\/\//, ''))
  redis.on('error', () => undefined)
  const eventsKey = `{gatehouse:${name}}:events`
  const running = new Set<TestProcess>()
  const serving = new Map<string, TestProxy>()
  const start = (
    program: string,
    args: readonly string[],
    own: Settings = {},
    sockets: readonly number[] = [],
  ): TestProcess =>
    begun(startProgram(program, args, { ...process.env, ...settings, ...own }, sockets))
  const begun = (started: TestProcess): TestProcess => {
    running.add(started)
    void started.finished.then(() => running.delete(started))
    return started
  }

  const launchProxy: TestFleet['launchProxy'] = (id, own = {}, sockets = []) => {
    const free = { GATEHOUSE_LISTEN: '127.0.0.1:0', GATEHOUSE_ADMIN: '127.0.0.1:0' }
    const all = { GATEHOUSE_PROXY_ID: id, ...free, ...own }
    return start('apps/proxy/src/main.mjs', [], all, sockets)
  }

  const startProxy: TestFleet['startProxy'] = async (id, own, sockets) => {
    const started = launchProxy(id, own, sockets)
    const proxy = await eventually(`proxy ${id} serves`, () => servedBy(started, id), START_MS_MAX)
    serving.set(id, proxy)
    return proxy
  }

  const startWorker = async (own: Settings = {}): Promise<TestProcess> => {
    const started = start('apps/worker/src/main.ts', [], own)
    await eventually(
      'the worker is there',
      async () => (await members()).some(({ pid }) => pid === started.child.pid),
      START_MS_MAX,
    )
    return started
  }

  const cmd = async (...args: readonly string[]): Promise<Ran> => {
    const text = { stdout: '', stderr: '' }
    const writer = (into: 'stdout' | 'stderr') => ({
      write: (part: string) => {
        text[into] += part
      },
    })
    const never = new AbortController().signal
    const exit = await run(args, {
      stdout: writer('stdout'),
      stderr: writer('stderr'),
      environment: settings,
      cwd: ROOT,
      interrupted: never,
      atOnce: never,
    })
    return { exit, ...text }
  }

  const json: TestFleet['json'] = async (...args) => {
    const ran = await cmd(...args, '--json')
    if (ran.stdout === '') throw new Error(`${args.join(' ')}: exit ${ran.exit}: ${ran.stderr}`)
    return JSON.parse(ran.stdout)
  }
  const members = async (): Promise<readonly MemberView[]> => Object(await json('fleet')).members

  const fleet: TestFleet = {
    name,
    redisUrl,
    proxies: () =>
      [...serving.values()]
        .filter((each) => each.running())
        .toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    proxy: (id) => {
      const found = serving.get(id)
      if (found === undefined) throw new Error(`no proxy ${id} was started`)
      return found
    },
    cmd,
    json,
    deploy: async (service, host, { label, url }, ...more) => {
      const flags = ['--host', host, '--target', url, '--release', label, ...more]
      const ran = await cmd('deploy', service, ...flags)
      if (ran.exit !== 0) throw new Error(`deploy of ${label}: exit ${ran.exit}: ${ran.stderr}`)
      return ran
    },
    startCmd: (...args) => start('apps/cmd/src/main.ts', args),
    npmRunCmd: (...args) =>
      begun(
        startProcess('npm', ['run', '--silent', 'cmd', '--', ...args], {
          ...process.env,
          ...settings,
        }),
      ),
    startProxy,
    launchProxy,
    startWorker,
    members,
    agreed: () =>
      eventually('all proxies agree with the log', async () => {
        const found = (await members()).filter(({ kind }) => kind === 'proxy')
        if (found.every(({ live, table }) => live && table === 'agrees')) return found
        throw new Error(JSON.stringify(found))
      }),
    events: async (service) => {
      const rows: readonly { readonly data: GatewayEvent }[] = Object(
        await json('history', service, '--limit', '1000'),
      )
      return rows.map(({ data }) => data)
    },
    position: async () => {
      const [newest] = await redis.xrevrange(eventsKey, '+', '-', 'COUNT', 1)
      return newest === undefined ? 0 : Number.parseInt(newest[0])
    },
    appendByHand: async (field, value) => {
      const position = await fleet.position()
      await redis.xadd(eventsKey, `${position + 1}-0`, field, value)
    },
    spec: async (fields) => {
      const path = join(dataDir, `spec-${randomUUID().slice(0, 8)}.json`)
      await writeFile(path, JSON.stringify(fields))
      return path
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...running].map((each) => each.stop('SIGKILL')))
      redis.disconnect()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  await Promise.all([
    ...Array.from({ length: workers }, () => startWorker()),
    ...Array.from({ length: proxies }, (_, index) => startProxy(`proxy-${index + 1}`)),
  ])
  return fleet
}
