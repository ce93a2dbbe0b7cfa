/** A fleet of its own on the real Redis: commands go in, workers run, proxies are what a test says. */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import {
  HEALTH_DEFAULTS,
  LIMIT_DEFAULTS,
  type Command,
  type Deploy,
  type GatewayEvent,
  type HealthCheck,
  type Release,
  type Service,
} from '@gatehouse/domain'
import {
  BEAT_MS,
  catchUp,
  createPresence,
  createRedisLog,
  fleetTag,
  openRedis,
  openReplica,
  submit,
  type EventLog,
  type ProxyPresence,
  type RedisLink,
  type Replica,
  type Submitted,
} from '@gatehouse/events'
import { inject } from 'vitest'
import type { WorkerSettings } from '../../../apps/worker/src/config.ts'
import {
  spawnWorker,
  startWorker,
  workerSettings,
  type SpawnedWorker,
  type TestWorker,
  type WorkerDiffers,
} from './workers.ts'

const LOOK_MS = 10

type EventOf<Type extends GatewayEvent['type']> = Extract<GatewayEvent, { type: Type }>

/** Workers and proxies that a test does not end by itself end with their fleet. */
export interface TestFleet extends AsyncDisposable {
  readonly name: string
  /** For looking at keys, and for losing them. */
  readonly redis: RedisLink['client']
  readonly log: EventLog
  readonly replica: Replica
  /** Everything that has happened, in order. */
  readonly history: () => Promise<readonly GatewayEvent[]>
  readonly submit: (command: Command) => Promise<Submitted>
  /** Waits for an event; throws with the history when it does not come in time. */
  readonly until: <Type extends GatewayEvent['type']>(
    type: Type,
    about?: Partial<EventOf<Type>>,
    withinMs?: number,
  ) => Promise<EventOf<Type>>
  readonly service: (name: string) => Promise<Service>
  /** Checks and drain watches that some worker has in hand at this moment. */
  readonly turns: () => Promise<number>
  /** A worker in this process, with settings of its own. */
  readonly startWorker: (differs?: WorkerDiffers) => TestWorker
  /** What a worker in this process makes of an environment. */
  readonly workerSettings: (environment: Readonly<Record<string, string>>) => WorkerSettings
  /** A worker in a process of its own, which can be killed. */
  readonly spawnWorker: (environment?: Readonly<Record<string, string>>) => SpawnedWorker
  /** A proxy that reports what the test says, every second, until it is silenced. */
  readonly startProxy: (id: string, work?: ProxyPresence['work']) => Promise<TestProxy>
}

export interface TestProxy extends AsyncDisposable {
  readonly say: (about: {
    readonly position?: number
    readonly work?: ProxyPresence['work']
  }) => Promise<void>
  /** Says nothing more, as a proxy that was killed or cut off. */
  readonly silence: () => void
}

export const openFleet = async (): Promise<TestFleet> => {
  await using stack = new AsyncDisposableStack()
  const redisUrl = inject('redisUrl')
  const name = `t-${randomUUID().slice(0, 8)}`
  const link = openRedis(redisUrl, { name })
  stack.defer(() => link.close())
  const log = createRedisLog(link, name)
  const replica = await openReplica(log)
  const events: GatewayEvent[] = []
  const history = async (): Promise<readonly GatewayEvent[]> => {
    for await (const page of log.read(seen)) {
      for (const recorded of page) {
        seen = recorded
        if (recorded.kind === 'event') events.push(recorded.event)
      }
    }
    return events
  }
  let seen = replica.place

  const until: TestFleet['until'] = async (type, about = {}, withinMs = 8_000) => {
    const wanted = Object.entries(about)
    const deadline = performance.now() + withinMs
    while (performance.now() < deadline) {
      const found = (await history()).find(
        (event): event is EventOf<typeof type> =>
          event.type === type &&
          wanted.every(([key, value]) =>
            Object.entries(event).some(([k, v]) => k === key && v === value),
          ),
      )
      if (found !== undefined) return found
      await wait(LOOK_MS)
    }
    const happened = (await history()).map((event) => JSON.stringify(event)).join('\n')
    throw new Error(`No ${type} ${JSON.stringify(about)} in ${withinMs} ms, only:\n${happened}`)
  }

  const fleet: Omit<TestFleet, typeof Symbol.asyncDispose> = {
    name,
    redis: link.client,
    log,
    replica,
    history,
    until,
    submit: (command) =>
      submit(log, replica, command, { command: randomUUID(), actor: 'test', tool: 'test/0' }),
    service: async (service) => {
      await catchUp(log, replica)
      const found = replica.table.gateway.services.get(service)
      if (found === undefined) throw new Error(`There is no service ${service}.`)
      return found
    },
    turns: () => link.client.llen(`${fleetTag(name)}:changes:active`),
    startWorker: (differs) => owned.use(startWorker(redisUrl, name, differs)),
    workerSettings: (environment) => workerSettings(redisUrl, name, environment),
    spawnWorker: (environment) => owned.use(spawnWorker(redisUrl, name, environment)),
    startProxy: async (id, work = []) => owned.use(await startProxy(link, name, id, work)),
  }
  const owned = stack.move()
  return { ...fleet, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

export const deploy = (
  service: string,
  id: string,
  targets: readonly string[],
  health: Partial<HealthCheck> = {},
  differs: Partial<Release> = {},
): Deploy => ({
  type: 'Deploy',
  service,
  release: {
    id,
    hosts: [`${service}.example.com`],
    targets: targets.map((url) => ({ url })),
    health: { ...HEALTH_DEFAULTS, intervalMs: 50, ...health },
    drainMs: 30_000,
    limits: LIMIT_DEFAULTS,
    hostHeader: 'preserve',
    metadata: {},
    ...differs,
  },
  stage: false,
  takeOver: false,
  ifAbsent: false,
})

const startProxy = async (
  link: RedisLink,
  fleet: string,
  id: string,
  work: ProxyPresence['work'],
): Promise<TestProxy> => {
  const presence = createPresence(link, fleet, id)
  let said: ProxyPresence = {
    kind: 'proxy',
    id,
    host: 'test',
    pid: process.pid,
    version: '0',
    listen: [],
    position: 0,
    tableHash: '',
    receipts: [],
    quarantined: 0,
    work,
    startedAt: 0,
    stopping: false,
  }
  const beat = async (): Promise<void> => void (await presence.beat(said))
  await beat()
  const timer = setInterval(() => void beat(), BEAT_MS)
  const silence = (): void => clearInterval(timer)
  return {
    say: async (about) => {
      said = { ...said, ...about }
      await beat()
    },
    silence,
    [Symbol.asyncDispose]: async () => {
      silence()
      await presence.leave()
    },
  }
}
