/**
 * How long it takes until an event is a route: from its moment in the log to its moment in a proxy, both
 * on Redis's clock. Deploys are appended one after the other with a pause, as a busy fleet would have it.
 */
import { servicesOf } from '@gatehouse/domain'
import { setTimeout as delay } from 'node:timers/promises'
import type { Receipt } from '@gatehouse/events'
import { BENCH_META, fill } from '../fill.ts'
import { openFleet, type BenchFleet } from '../fleet.ts'
import { deploysOf, type History, type Together } from '../history.ts'
import type { Bench, Measured, Measurement } from '../measurement.ts'
import type { Talk } from '../processes.ts'
import type { FollowerTask } from '../programs/follower.ts'
import { quantile } from '../statistics.ts'

interface Scale {
  readonly repetitions: number
  readonly appendsForOne: number
  readonly appendsForMany: number
  /** Services that the table holds before the first append. */
  readonly services: number
}

const SCALES: Readonly<Record<Bench['scale'], Scale>> = {
  full: { repetitions: 3, appendsForOne: 1_000, appendsForMany: 500, services: 1_000 },
  quick: { repetitions: 1, appendsForOne: 40, appendsForMany: 20, services: 20 },
}
/** Of different lengths, so that nothing falls into step with a timer. */
const PAUSES_MS = [3, 4, 5, 6]
/** Added for each proxy: they share the cores here, and a queue of work is not what is measured. */
const PAUSE_MS_PER_PROXY = 2
const UNCOUNTED_APPENDS = 20
const EVENTS_PER_DEPLOY_MAX = 5

export const propagation: Measurement = {
  name: 'propagation',
  part: 'events',
  about: 'event appended to routed, with one proxy and with many',
  measure: async (bench) => {
    const { repetitions, appendsForOne, appendsForMany, services } = SCALES[bench.scale]
    const one: Run[] = []
    const many: Run[] = []
    const inMemory: Run[] = []
    await using redis = await bench.lab.startRedis('durable')
    await using redisInMemory = await bench.lab.startRedis('in-memory')
    for (let repetition = 1; repetition <= repetitions; repetition++) {
      const which = `${repetition} of ${repetitions}`
      bench.lab.say(`propagation, one proxy, ${which} …`)
      one.push(await runWith(bench, redis.url, 1, appendsForOne))
      bench.lab.say(`propagation, one proxy, nothing on disk, ${which} …`)
      inMemory.push(await runWith(bench, redisInMemory.url, 1, appendsForOne))
      bench.lab.say(`propagation, ${bench.proxies} proxies, ${which} …`)
      many.push(await runWith(bench, redis.url, bench.proxies, appendsForMany))
    }
    return {
      samples: samplesOf(one, inMemory, many),
      notes: [
        `Propagation: ${repetitions} × ${appendsForOne} appends (of 1 to 3 events) with one proxy and ${appendsForMany} with many, with pauses of ${pausesFor(1).join(', ')} ms and ${pausesFor(bench.proxies).join(', ')} ms, into a table of ${services} services; Redis has each on disk before anybody sees it, but for the rows "nothing on disk". "Many" is ${bench.proxies} proxies, all on this machine.`,
        'Routed is when the data plane has the route. Each proxy is a process with the follower, data plane, local copy and heartbeat of apps/proxy, without listeners, and with a clock in microseconds.',
      ],
    }
  },
}

interface Run {
  /** Each in milliseconds, one per event and proxy. */
  readonly routedMs: readonly number[]
  /** One per event: the slowest proxy. */
  readonly lastMs: readonly number[]
  /** One per append. */
  readonly acknowledgedMs: readonly number[]
}

const runWith = async (
  bench: Bench,
  redisUrl: string,
  proxies: number,
  appends: number,
): Promise<Run> => {
  const { services } = SCALES[bench.scale]
  await using fleet = openFleet(redisUrl)
  const history = deploysOf(services)
  await fill(fleet.log, history, services * EVENTS_PER_DEPLOY_MAX)
  const followers = await startFollowers(bench, fleet, proxies)
  const pausesMs = pausesFor(proxies)
  try {
    await appendPaced(fleet, history, UNCOUNTED_APPENDS, pausesMs)
    const { position: before } = await fleet.log.head()
    await receiptsOf(followers, before)
    const acknowledgedMs = await appendPaced(fleet, history, appends, pausesMs)
    const { position: last } = await fleet.log.head()
    const receipts = await receiptsOf(followers, last)
    const appendedAt = new Map(
      (await fleet.log.range(before + 1, last)).map(({ position, at }) => [position, at]),
    )
    const waits = receipts.map((ofOne) => waitsOf(ofOne, appendedAt))
    const lastMs = [...appendedAt.keys()].map((position) =>
      Math.max(...waits.map((ofOne) => ofOne.get(position) ?? Number.POSITIVE_INFINITY)),
    )
    return { routedMs: waits.flatMap((ofOne) => [...ofOne.values()]), lastMs, acknowledgedMs }
  } finally {
    await Promise.all(followers.map((follower) => follower.stop()))
  }
}

const startFollowers = async (
  { lab }: Bench,
  fleet: BenchFleet,
  proxies: number,
): Promise<readonly Talk[]> => {
  const followers: Talk[] = []
  for (let number = 1; number <= proxies; number++) {
    const task: FollowerTask = {
      redisUrl: fleet.redisUrl,
      fleet: fleet.name,
      id: `proxy-${number}`,
      dataDir: await lab.folder(),
    }
    followers.push(lab.processes.talkTo('follower.ts', task))
  }
  await Promise.all(followers.map((follower) => follower.first))
  return followers
}

const pausesFor = (proxies: number): readonly number[] =>
  PAUSES_MS.map((pauseMs) => pauseMs + (proxies - 1) * PAUSE_MS_PER_PROXY)

/** Returns how long each append took until it was acknowledged, in milliseconds. */
const appendPaced = async (
  { log }: BenchFleet,
  { appends }: History,
  count: number,
  pausesMs: readonly number[],
): Promise<readonly number[]> => {
  const tookMs: number[] = []
  let { position } = await log.head()
  for (let appended = 0; appended < count; appended++) {
    const events: Together = appends.next().value
    const options = {
      readPosition: position,
      scopes: servicesOf(events[0]).map((service) => `service:${service}`),
      idempotencyKey: crypto.randomUUID(),
      meta: BENCH_META,
    }
    const before = performance.now()
    const answer = await log.append(events, options)
    tookMs.push(performance.now() - before)
    if (answer.kind !== 'appended') throw new Error(`The log answered ${answer.kind}.`)
    position = answer.last
    await delay(pausesMs[appended % pausesMs.length])
  }
  return tookMs
}

const receiptsOf = (
  followers: readonly Talk[],
  upTo: number,
): Promise<readonly (readonly Receipt[])[]> =>
  // Followers answer with nothing else.
  Promise.all(followers.map(async (each) => (await each.ask({ upTo })) as readonly Receipt[]))

/** Per position, from the moment in the log to the moment in the proxy. Throws when one is missing. */
const waitsOf = (
  receipts: readonly Receipt[],
  appendedAt: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> => {
  const routedAt = new Map(receipts.map(({ position, at }) => [position, at]))
  return new Map(
    [...appendedAt].map(([position, appended]) => {
      const routed = routedAt.get(position)
      if (routed === undefined) throw new Error(`There is no receipt for position ${position}.`)
      return [position, routed - appended]
    }),
  )
}

const samplesOf = (
  one: readonly Run[],
  inMemory: readonly Run[],
  many: readonly Run[],
): Measured['samples'] => {
  const of = (runs: readonly Run[], what: keyof Run, q: number): readonly number[] =>
    runs.map((run) => quantile(run[what], q))
  return {
    'routed-one-p50': of(one, 'routedMs', 0.5),
    'routed-one-p99': of(one, 'routedMs', 0.99),
    'routed-one-max': of(one, 'routedMs', 1),
    'routed-in-memory-p50': of(inMemory, 'routedMs', 0.5),
    'routed-in-memory-p99': of(inMemory, 'routedMs', 0.99),
    'acknowledged-one-p50': of(one, 'acknowledgedMs', 0.5),
    'acknowledged-one-p99': of(one, 'acknowledgedMs', 0.99),
    'routed-many-p50': of(many, 'routedMs', 0.5),
    'routed-many-p99': of(many, 'routedMs', 0.99),
    'routed-many-max': of(many, 'routedMs', 1),
    'routed-last-p50': of(many, 'lastMs', 0.5),
    'routed-last-p99': of(many, 'lastMs', 0.99),
    'acknowledged-many-p50': of(many, 'acknowledgedMs', 0.5),
    'acknowledged-many-p99': of(many, 'acknowledgedMs', 0.99),
  }
}
