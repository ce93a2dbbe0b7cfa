/** The processes that `up` runs: a worker, the proxies on one port, and the example's two releases. */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Io } from '../io.ts'
import type { Output } from '../output/output.ts'
import { startChild, type Child } from './child.ts'
import { EXAMPLE_SERVER, type Example } from './example.ts'
import type { LocalCa } from './local-ca/local-ca.ts'
import { proxyName, sayAddress, type UpSettings } from './settings.ts'
import { holdSockets } from './sockets.ts'
import { createUpgrade, type Upgrade } from './upgrade.ts'

export interface Programs {
  readonly upgrade: Upgrade
  /** Stops all of them: proxies while their targets still answer, then the worker, then the example. */
  readonly stop: () => Promise<void>
  readonly kill: () => void
}

export interface ProgramsOptions {
  readonly settings: UpSettings
  readonly redisUrl: string
  readonly example: Example | undefined
  /** The certificate for names that the fleet has none for; undefined: the environment says, or there is none. */
  readonly certificate: Pick<LocalCa, 'cert' | 'key'> | undefined
  readonly io: Io
  readonly output: Output
}

const APPS = resolve(import.meta.dirname, '../../..')
/** Beyond its grace, a proxy says good-bye to clients that it cuts and to the fleet. */
const GOODBYE_MS = 6_000
const WORKER_GRACE_MS = 10_000
const EXAMPLE_GRACE_MS = 2_000

/** Where the output of the processes goes. */
export const logFolder = (dataDir: string): string => join(dataDir, 'logs')

export const startPrograms = (options: ProgramsOptions): Programs => {
  const { settings, redisUrl, example, certificate, io, output } = options
  const { listenTls } = settings
  const logDir = logFolder(settings.dataDir)
  mkdirSync(logDir, { recursive: true })
  const onTrouble = (sentence: string): void => {
    if (!io.interrupted.aborted) output.warn(sentence)
  }
  const fleet = {
    ...io.environment,
    GATEHOUSE_REDIS_URL: redisUrl,
    GATEHOUSE_FLEET: settings.fleet,
    GATEHOUSE_DATA: settings.dataDir,
  }
  const common = { logDir, onTrouble }

  const examples = [example?.blue, example?.green].flatMap((release) =>
    release === undefined
      ? []
      : [
          startChild({
            ...common,
            name: release.label,
            script: EXAMPLE_SERVER,
            environment: () => ({
              PATH: io.environment['PATH'],
              PORT: String(release.port),
              LABEL: release.label,
            }),
            graceMs: EXAMPLE_GRACE_MS,
          }),
        ],
  )
  const worker = startChild({
    ...common,
    name: 'worker',
    script: join(APPS, 'worker', 'src', 'main.ts'),
    environment: () => fleet,
    graceMs: WORKER_GRACE_MS,
  })
  const proxies = Array.from({ length: settings.proxies }, (_, index) => {
    const name = proxyName(settings.name, index)
    const admin = { host: settings.admin.host, port: settings.admin.port + index }
    return startChild({
      ...common,
      name,
      script: join(APPS, 'proxy', 'src', 'main.mjs'),
      // Two are enough: the one before the one before has ended by the time its name is taken again,
      // and its local copy is of use.
      ids: [name, `${name}b`],
      environment: (id, succeeds) => ({
        ...fleet,
        GATEHOUSE_PROXY_ID: id,
        GATEHOUSE_SUCCEEDS: succeeds,
        GATEHOUSE_ADMIN: sayAddress(admin),
        GATEHOUSE_GRACE_MS: String(settings.stopGraceMs),
        GATEHOUSE_LISTEN_TLS: undefined,
        ...(certificate === undefined
          ? {}
          : { GATEHOUSE_TLS_CERT: certificate.cert, GATEHOUSE_TLS_KEY: certificate.key }),
      }),
      sockets: holdSockets([
        { name: 'traffic', address: settings.listen, shared: settings.proxies > 1 },
        ...(listenTls === 'off'
          ? []
          : [{ name: 'tls', address: listenTls, shared: settings.proxies > 1 } as const]),
        { name: 'admin', address: admin, shared: false },
      ]),
      graceMs: settings.stopGraceMs + GOODBYE_MS,
    })
  })

  const stopAll = (children: readonly Child[]): Promise<unknown> =>
    Promise.all(children.map((child) => child.stop()))
  return {
    upgrade: createUpgrade(proxies, settings.stopGraceMs),
    stop: async () => {
      await stopAll(proxies)
      await stopAll([worker])
      await stopAll(examples)
    },
    kill: () => {
      for (const child of [...proxies, worker, ...examples]) child.kill()
    },
  }
}
