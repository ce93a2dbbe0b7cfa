/**
 * How long a new proxy takes until it serves, and what it takes up then: with nothing, with many routes,
 * and with a short and a long history of the same services. The cases take turns, so that whatever else
 * the machine does meets all of them.
 */
import { fill, saveSnapshot } from '../fill.ts'
import { openFleet, type BenchFleet } from '../fleet.ts'
import { deploysOf } from '../history.ts'
import type { Bench, Measured, Measurement } from '../measurement.ts'
import type { Projection, ProjectorTask } from '../programs/projector.ts'
import { startProxyOnce, type ProxyStart } from '../proxy-start.ts'

interface Scale {
  readonly repetitions: number
  readonly routes: number
  readonly shortHistory: number
  readonly longHistory: number
}

const SCALES: Readonly<Record<Bench['scale'], Scale>> = {
  full: { repetitions: 9, routes: 50_000, shortHistory: 1_000, longHistory: 1_000_000 },
  quick: { repetitions: 1, routes: 500, shortHistory: 1_000, longHistory: 5_000 },
}
/** What a worker leaves after the snapshot: half of the thousand events after which it writes the next. */
const TAIL_EVENTS = 500
/** Few enough that even the short history fills what each service remembers: the states are equal. */
const HISTORY_SERVICES = 10
/** The first deploy of a service: declared, passed, activated. */
const EVENTS_PER_FIRST_DEPLOY = 3

export const start: Measurement = {
  name: 'start',
  part: 'events',
  about: 'start of a proxy: empty, with many routes, after a long history',
  measure: async (bench) => {
    const scale = SCALES[bench.scale]
    await using redis = await bench.lab.startRedis('in-memory')
    await using empty = openFleet(redis.url)
    await using routes = openFleet(redis.url)
    await using thousand = openFleet(redis.url)
    await using million = openFleet(redis.url)
    bench.lab.say(`start: writing ${scale.routes} routes and ${scale.longHistory} events …`)
    await write(routes, scale.routes, scale.routes * EVENTS_PER_FIRST_DEPLOY + TAIL_EVENTS)
    await write(thousand, HISTORY_SERVICES, scale.shortHistory)
    await write(million, HISTORY_SERVICES, scale.longHistory)

    const rounds: Round[] = []
    const loadsMs: number[] = []
    for (let repetition = 1; repetition <= scale.repetitions; repetition++) {
      bench.lab.say(`start: ${repetition} of ${scale.repetitions} …`)
      const forRoutes = await bench.lab.folder()
      const forMillion = await bench.lab.folder()
      rounds.push({
        empty: await startIn(await bench.lab.folder(), bench, empty),
        routes: await startIn(forRoutes, bench, routes),
        // The start before has left its copy.
        routesCopy: await startIn(forRoutes, bench, routes),
        thousand: await startIn(await bench.lab.folder(), bench, thousand),
        million: await startIn(forMillion, bench, million),
        millionCopy: await startIn(forMillion, bench, million),
      })
      loadsMs.push(await loadMs(bench, routes))
    }
    return {
      samples: { 'load-routes': loadsMs, ...samplesOf(rounds) },
      notes: [
        `Start: ${scale.repetitions} × apps/proxy from its launch until /readyz answers 200, the cases in turn; memory is what is resident then. "Many routes" is ${scale.routes} services of one host.`,
        `A history of ${scale.shortHistory} and one of ${scale.longHistory} events, both over the same ${HISTORY_SERVICES} services, each with a snapshot ${TAIL_EVENTS} events before its end, nothing trimmed. The ratios are those of neighbours.`,
      ],
    }
  },
}

type Case = 'empty' | 'routes' | 'routesCopy' | 'thousand' | 'million' | 'millionCopy'
type Round = Readonly<Record<Case, ProxyStart>>

/** A log of at least so many events, with a snapshot where a worker would have left it. */
const write = async ({ log }: BenchFleet, services: number, events: number): Promise<void> => {
  const history = deploysOf(services)
  await fill(log, history, events - TAIL_EVENTS)
  await saveSnapshot(log, history)
  await fill(log, history, TAIL_EVENTS)
}

const startIn = (
  dataDir: string,
  { lab }: Bench,
  { redisUrl, name }: BenchFleet,
): Promise<ProxyStart> => startProxyOnce(lab.processes, { redisUrl, fleet: name, dataDir })

const loadMs = async ({ lab }: Bench, { redisUrl, name }: BenchFleet): Promise<number> => {
  const task: ProjectorTask = { redisUrl, fleet: name }
  // The program answers with nothing else.
  const loaded = (await lab.processes.talkTo('projector.ts', task).first) as Projection
  return loaded.tookMs
}

const samplesOf = (rounds: readonly Round[]): Measured['samples'] => {
  const ready = (which: Case): readonly number[] => rounds.map((round) => round[which].readyMs)
  const cpu = (which: Case): readonly number[] => rounds.map((round) => round[which].cpuMs)
  const memory = (which: Case): readonly number[] => rounds.map((round) => round[which].memoryMb)
  return {
    'start-empty': ready('empty'),
    'start-empty-cpu': cpu('empty'),
    'start-routes': ready('routes'),
    'start-routes-cpu': cpu('routes'),
    'start-routes-copy': ready('routesCopy'),
    'start-thousand': ready('thousand'),
    'start-thousand-cpu': cpu('thousand'),
    'start-million': ready('million'),
    'start-million-cpu': cpu('million'),
    'start-million-copy': ready('millionCopy'),
    'start-history': rounds.map(({ million, thousand }) => million.readyMs / thousand.readyMs),
    'memory-empty': memory('empty'),
    'memory-routes': memory('routes'),
    'memory-routes-copy': memory('routesCopy'),
    'memory-thousand': memory('thousand'),
    'memory-million': memory('million'),
    'memory-million-copy': memory('millionCopy'),
    'memory-history': rounds.map(({ million, thousand }) => million.memoryMb / thousand.memoryMb),
  }
}
