/**
 * Where contenders are compared: one backend, and all of them alive in front of it at once, each known to
 * answer. Whoever cannot take part is named, and the others go on.
 */
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { appendAll, fill, saveSnapshot } from '../fill.ts'
import { openFleet, type BenchFleet } from '../fleet.ts'
import { deployOf, deploysOf, releaseFor } from '../history.ts'
import type { Lab } from '../lab.ts'
import type { Process } from '../processes.ts'
import { startBackend, type Backend, type BackendName } from './backends.ts'
import { HOST, KEPT_CONNECTIONS_MAX, type Site } from './contender.ts'
import { CONTENDERS, type ContenderName } from './contenders.ts'
import { choosePinning } from './pinning.ts'
import type { Missing } from './tools.ts'

export interface Stand extends AsyncDisposable {
  readonly site: Site
  readonly backendPid: number
  readonly targets: readonly Target[]
  /** In sentences: who does not take part, and why. */
  readonly absent: ReadonlyMap<ContenderName, string>
}

export interface Target {
  readonly name: ContenderName
  readonly version: string
  readonly port: number
  readonly pid: number
}

export interface StandOptions {
  readonly backend: BackendName
  readonly contenders: readonly ContenderName[]
  /** How many routes Gatehouse knows besides the one that is used. */
  readonly routes: number
}

const READY_MS_MAX = 15_000
const POLL_MS = 20
/** Until fresh processes have done what they still do after their first answer. */
const SETTLE_MS = 500
/** What the first deploy of a service leads to. */
const EVENTS_PER_DEPLOY = 3
/** Anything that every backend answers with 200. */
const PROBE_PATH = '/100'

/** Or says in a sentence why nothing can be compared here. */
export const openStand = async (
  lab: Lab,
  { backend: backendName, contenders, routes }: StandOptions,
): Promise<Stand | Missing> => {
  await using opened = new AsyncDisposableStack()
  let fleet: Promise<BenchFleet> | undefined
  const fixed = { lab, pinning: choosePinning(), openFilesMax: openFilesMax() }
  const backend = await startBackend(backendName, fixed)
  if ('missing' in backend) return backend
  opened.defer(() => backend.process.stop())
  const silent = await untilReady(backend.process, backend.readyPort ?? backend.port)
  if (silent !== undefined) return { missing: `The backend cannot be used. ${silent}` }
  const site: Site = {
    ...fixed,
    backendPort: backend.port,
    backendSpeaksHttp2: backend.speaksHttp2,
    fleet: () => (fleet ??= fleetTo(lab, backend, routes, opened)),
  }
  const targets: Target[] = []
  const absent = new Map<ContenderName, string>()
  for (const name of contenders) {
    const running = await CONTENDERS[name].start(site)
    if ('missing' in running) {
      absent.set(name, running.missing)
      continue
    }
    opened.defer(() => running.process.stop())
    const problem = await untilReady(running.process, running.readyPort ?? running.port)
    if (problem !== undefined) {
      absent.set(name, problem)
      continue
    }
    const { process, version, port } = running
    targets.push({ name, version, port, pid: process.pid })
  }
  await delay(SETTLE_MS)
  const whole = opened.move()
  return {
    site,
    backendPid: backend.process.pid,
    targets,
    absent,
    [Symbol.asyncDispose]: () => whole.disposeAsync(),
  }
}

/** Of this process, and so of all that it starts: Node raises it to what the system allows. */
const openFilesMax = (): number =>
  Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1_024)

const fleetTo = async (
  lab: Lab,
  { port, speaksHttp2 }: Backend,
  routes: number,
  opened: AsyncDisposableStack,
): Promise<BenchFleet> => {
  const redis = opened.use(await lab.startRedis('in-memory'))
  const fleet = opened.use(openFleet(redis.url))
  const history = deploysOf(routes)
  await fill(fleet.log, history, routes * EVENTS_PER_DEPLOY)
  const release = releaseFor('bench', 0)
  await appendAll(
    fleet.log,
    deployOf(history.gateway, 'bench', {
      ...release,
      hosts: [HOST],
      targets: [{ url: `${speaksHttp2 ? 'h2c' : 'http'}://127.0.0.1:${port}` }],
      limits: { ...release.limits, connectionsMax: openFilesMax(), queueMax: KEPT_CONNECTIONS_MAX },
    }),
  )
  await saveSnapshot(fleet.log, history)
  return fleet
}

/** Waits for a whole answer; returns a sentence when none comes. */
const untilReady = async (process: Process, port: number): Promise<string | undefined> => {
  const giveUpAt = performance.now() + READY_MS_MAX
  for (;;) {
    const status = await probe(port)
    if (status === 200) return undefined
    if (!process.isRunning()) return `It ended at once: ${process.lastWords().trim()}`
    if (performance.now() > giveUpAt) {
      return `It did not answer within ${READY_MS_MAX} ms (${status ?? 'no connection'}): ${process.lastWords().trim()}`
    }
    await delay(POLL_MS)
  }
}

const probe = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const where = { host: '127.0.0.1', port, path: PROBE_PATH, headers: { host: HOST } }
    get({ ...where, agent: false, signal: AbortSignal.timeout(READY_MS_MAX) }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    }).on('error', () => resolve(undefined))
  })
