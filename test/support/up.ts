/** `up` on the Redis that tests share: proxies on one port and a worker, without the example. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MemberView } from '../../apps/cmd/src/verbs/fleet.ts'
import { command, type Ran } from './command.ts'
import { eventually } from './eventually.ts'
import { freePorts, ownEnvironment } from './machine.ts'
import { startProgram, type TestProcess } from './process.ts'

export interface TestUp extends AsyncDisposable {
  /** Where all of its proxies serve. */
  readonly port: number
  /** The same for TLS. */
  readonly tlsPort: number
  /** The admin port of its first proxy; the others count up. */
  readonly adminPort: number
  readonly dataDir: string
  readonly fleet: string
  readonly process: TestProcess
  /** Everything in the fleet, with or without a lease. */
  readonly members: () => Promise<readonly MemberView[]>
  readonly cmd: (...args: readonly string[]) => Promise<Ran>
  /** The same in a process of its own. */
  readonly startCmd: (...args: readonly string[]) => TestProcess
  /** Waits until it has said this. */
  readonly says: (sentence: string | RegExp) => Promise<true>
}

export interface UpOptions {
  readonly redisUrl: string
  readonly proxies?: number
  readonly settings?: Readonly<Record<string, string>>
}

const START_MS_MAX = 30_000

export const startUp = async ({
  redisUrl,
  proxies = 2,
  settings: more = {},
}: UpOptions): Promise<TestUp> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-up-'))
  const port = await freePorts(proxies + 2)
  const adminPort = port + 1
  const tlsPort = adminPort + proxies
  const fleet = `up-${randomUUID().slice(0, 8)}`
  const settings = {
    GATEHOUSE_REDIS_URL: redisUrl,
    GATEHOUSE_FLEET: fleet,
    GATEHOUSE_DATA: dataDir,
    GATEHOUSE_LISTEN: `127.0.0.1:${port}`,
    GATEHOUSE_LISTEN_TLS: `127.0.0.1:${tlsPort}`,
    GATEHOUSE_ADMIN: `127.0.0.1:${adminPort}`,
    GATEHOUSE_EXAMPLE: 'no',
    ...more,
  }
  const startCmd = (...args: readonly string[]): TestProcess =>
    startProgram('apps/cmd/src/main.ts', args, ownEnvironment(settings))
  const process = startCmd('up', '--proxies', String(proxies))
  const cmd: TestUp['cmd'] = (...args) => command(settings, ...args)
  const says: TestUp['says'] = (sentence) =>
    eventually(
      `up says ${sentence}`,
      () => {
        const output = process.output()
        if (typeof sentence === 'string' ? output.includes(sentence) : sentence.test(output)) {
          return true as const
        }
        throw new Error(`it says: ${output}`)
      },
      START_MS_MAX,
    )
  const up: TestUp = {
    port,
    tlsPort,
    adminPort,
    dataDir,
    fleet,
    process,
    cmd,
    startCmd,
    says,
    members: async () => {
      const { stdout, stderr } = await cmd('fleet', '--json')
      if (stdout === '') throw new Error(stderr)
      return JSON.parse(stdout).members
    },
    [Symbol.asyncDispose]: async () => {
      await process.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  await says('Stop: Ctrl-C')
  return up
}
