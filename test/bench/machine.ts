/** What the figures were measured on: without it they mean nothing. */
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly system: string
  readonly node: string
  readonly redis: string
  /** How busy the machine was before, as its average of a minute. */
  readonly loadBefore: number
}

const GIGABYTE = 1_000_000_000

export const describeMachine = (redis: string): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryGb: Math.round(totalmem() / GIGABYTE),
  system: `${type()} ${release()}`,
  node: process.version,
  redis,
  loadBefore: loadavg()[0] ?? 0,
})

export const machineLine = (machine: Machine): string =>
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, ` +
  `Node ${machine.node.slice(1)}, Redis ${machine.redis}, ` +
  `load ${machine.loadBefore.toFixed(1)} before the run`
