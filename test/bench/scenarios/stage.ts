/**
 * The whole product as it runs in earnest: proxies and a worker in processes of their own on a real,
 * durable Redis, targets behind them, the load generator in front, and the command line.
 */
import { startFleet, type TestFleet } from '../../support/fleet.ts'
import type { Lab } from '../lab.ts'
import { startGenerator, type Generator } from './generator.ts'
import { INSPECTED } from './inspector.ts'
import type { Watched } from './look.ts'
import { startTarget, type Target } from './target-process.ts'

export interface Stage extends AsyncDisposable {
  readonly fleet: TestFleet
  readonly generator: Generator
  /** Where the proxies serve. */
  readonly ports: readonly number[]
  /** The product's processes. */
  readonly watched: readonly Watched[]
  readonly startTarget: (label: string) => Promise<Target>
  /** All that were started. */
  readonly targets: () => readonly Target[]
  /** Deploys a release of `SERVICE` under `HOST`, and waits until its drain has ended. */
  readonly deploy: (label: string, ...targets: readonly Target[]) => Promise<void>
  readonly switchTo: (label: string) => Promise<void>
}

export const SERVICE = 'shop'
export const HOST = 'shop.test'

/** So that no number of sockets here waits for another. */
const CONNECTIONS_MAX = 4_096
/** What leaves or comes back is noticed soon. Only a release with several targets is watched. */
const HEALTH = { interval: '100ms', rise: 1, fall: 1 }

export const openStage = async (lab: Lab, redisUrl: string, proxies: number): Promise<Stage> => {
  const fleet = await startFleet({ redisUrl, proxies: 0, workers: 0 })
  try {
    const numbers = Array.from({ length: proxies }, (_, index) => index + 1)
    const [generator, worker, serving] = await Promise.all([
      startGenerator(lab.processes),
      fleet.startWorker(INSPECTED),
      Promise.all(numbers.map((number) => fleet.startProxy(`proxy-${number}`, INSPECTED))),
    ])
    const targets: Target[] = []
    const run = async (...args: readonly string[]): Promise<void> => {
      const ran = await fleet.cmd(...args)
      if (ran.exit !== 0) throw new Error(`${args.join(' ')}: exit ${ran.exit}: ${ran.stderr}`)
    }
    return {
      fleet,
      generator,
      ports: serving.map(({ port }) => port),
      watched: [
        ...serving.map(({ id, child, output, adminUrl }) => ({
          name: id,
          pid: child.pid ?? 0,
          output,
          adminPort: Number(new URL(adminUrl).port),
        })),
        { name: 'worker', pid: worker.child.pid ?? 0, output: worker.output },
      ],
      startTarget: async (label) => {
        const target = await startTarget(lab.processes, label)
        targets.push(target)
        return target
      },
      targets: () => targets,
      deploy: async (label, ...behind) => {
        const spec = await fleet.spec({
          service: SERVICE,
          hosts: [HOST],
          target_id: label,
          targets: behind.map(({ url }) => url),
          health: HEALTH,
          limits: { max_connections: CONNECTIONS_MAX },
        })
        await run('deploy', spec)
      },
      switchTo: (label) => run('switch', SERVICE, label),
      [Symbol.asyncDispose]: async () => {
        lab.processes.kill()
        await fleet[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await fleet[Symbol.asyncDispose]()
    throw error
  }
}
