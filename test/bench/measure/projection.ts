/**
 * How many events a reader takes in a second: read from Redis, checked against the chain, decoded and
 * projected into a route table, by the code that every program starts with. Each repetition is a new
 * process.
 */
import { fill } from '../fill.ts'
import { openFleet } from '../fleet.ts'
import { declarationsOf, deploysOf, pausesOf, type History } from '../history.ts'
import type { Bench, Measurement } from '../measurement.ts'
import type { Projection, ProjectorTask } from '../programs/projector.ts'

interface Scale {
  readonly repetitions: number
  readonly smallEvents: number
  readonly deployEvents: number
  readonly declarations: number
  readonly services: number
}

const SCALES: Readonly<Record<Bench['scale'], Scale>> = {
  full: {
    repetitions: 3,
    smallEvents: 1_000_000,
    deployEvents: 500_000,
    declarations: 250_000,
    services: 1_000,
  },
  quick: {
    repetitions: 1,
    smallEvents: 5_000,
    deployEvents: 5_000,
    declarations: 2_000,
    services: 100,
  },
}
const MS_PER_SECOND = 1_000

export const projection: Measurement = {
  name: 'projection',
  part: 'events',
  about: 'events read, decoded and projected per second',
  measure: async (bench) => {
    const { repetitions, smallEvents, deployEvents, declarations, services } = SCALES[bench.scale]
    const small = await project(bench, 'pauses', pausesOf(services), smallEvents)
    const deploys = await project(bench, 'deploys', deploysOf(services), deployEvents)
    const declared = await project(bench, 'declarations', declarationsOf(services), declarations)
    return {
      samples: {
        'projected-small': small.map(perSecond),
        'projected-small-cpu': small.map(perCpuSecond),
        'projected-deploys': deploys.map(perSecond),
        'projected-deploys-cpu': deploys.map(perCpuSecond),
        'projected-deploys-memory': deploys.map(({ memoryMb }) => memoryMb),
        'projected-declared': declared.map(perSecond),
        'projected-declared-cpu': declared.map(perCpuSecond),
      },
      notes: [
        `Projection: ${repetitions} × ${smallEvents} small events (paused, resumed), ${deployEvents} of deploys (declared, passed, activated, drain started, drain ended) and ${declarations} of ReleaseDeclared over ${services} services, each time in a new process, through openReplica.`,
      ],
    }
  },
}

const project = async (
  { lab, scale }: Bench,
  what: string,
  history: History,
  events: number,
): Promise<readonly Projection[]> => {
  await using redis = await lab.startRedis('in-memory')
  await using fleet = openFleet(redis.url)
  lab.say(`projection: writing ${events} events of ${what} …`)
  await fill(fleet.log, history, events)
  const { position } = await fleet.log.head()
  const projections: Projection[] = []
  const { repetitions } = SCALES[scale]
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    lab.say(`projection: ${what}, ${repetition} of ${repetitions} …`)
    const task: ProjectorTask = { redisUrl: redis.url, fleet: fleet.name }
    // The program answers with nothing else.
    const done = (await lab.processes.talkTo('projector.ts', task).first) as Projection
    if (done.events !== position || done.services !== history.gateway.services.size) {
      throw new Error(`Only ${done.events} of ${position} events were projected.`)
    }
    projections.push(done)
  }
  return projections
}

const perSecond = ({ events, tookMs }: Projection): number => (events / tookMs) * MS_PER_SECOND

const perCpuSecond = ({ events, cpuMs }: Projection): number => (events / cpuMs) * MS_PER_SECOND
