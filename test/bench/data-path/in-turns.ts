/**
 * Puts all targets of a stand under the same load in turns, A B C A B C, so that whatever else the machine
 * does meets all of them. The first turn warms them up and is not counted.
 */
import { processorTimeOfTree, usageOfTree } from './process-tree.ts'
import type { Load, Sent } from './load.ts'
import type { Stand } from './stand.ts'

/** One run of the load against one target. */
export interface Sample extends Sent {
  readonly perSecond: number
  /** Answered per second of processor time of the target. */
  readonly perCpuSecond: number
  /** Processor time for each that was answered: all of it, and what of that is not the kernel's. */
  readonly cpuMicroseconds: number
  readonly userMicroseconds: number
  /** Of one processor, 0 to 1. */
  readonly cpuShare: number
  /** Memory in the middle of the run, in megabytes (10^6 bytes); shared pages count in parts. */
  readonly pssMb: number
}

export interface TurnsOptions {
  readonly seconds: number
  readonly repetitions: number
  readonly warmUpSeconds: number
  readonly onTurn: (repetition: number) => void
}

/** Who is in the turns: a target, or the backend without any proxy. */
export interface Runner<Name extends string> {
  readonly name: Name
  readonly port: number
  /** The process whose resources count. */
  readonly pid: number
}

const MS_PER_SECOND = 1_000
const MICROSECONDS_PER_MS = 1_000
const MICROSECONDS_PER_SECOND = 1_000_000
const KIBIBYTES_PER_MB = 1_000_000 / 1_024

/** Per runner one sample for each repetition. */
export const runInTurns = async <Name extends string>(
  { site }: Stand,
  runners: readonly Runner<Name>[],
  load: Load,
  { seconds, repetitions, warmUpSeconds, onTurn }: TurnsOptions,
): Promise<ReadonlyMap<Name, readonly Sample[]>> => {
  const samples = new Map<Name, Sample[]>(runners.map(({ name }) => [name, []]))
  for (const { port } of runners) await load.run(site, { port, seconds: warmUpSeconds })
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    onTurn(repetition)
    for (const { name, port, pid } of runners) {
      const sample = await sampled(pid, seconds, () => load.run(site, { port, seconds }))
      samples.get(name)?.push(sample)
    }
  }
  return samples
}

const sampled = async (
  pid: number,
  seconds: number,
  send: () => Promise<Sent>,
): Promise<Sample> => {
  let pssKib = 0
  const middle = setTimeout(
    () => {
      pssKib = usageOfTree(pid).pssKib
    },
    (seconds * MS_PER_SECOND) / 2,
  )
  const before = processorTimeOfTree(pid)
  const sent = await send()
  const after = processorTimeOfTree(pid)
  const cpuSeconds = (after.cpuMs - before.cpuMs) / MS_PER_SECOND
  clearTimeout(middle)
  return {
    ...sent,
    // Silence is a failure too.
    errors: sent.answered === 0 ? sent.errors + 1 : sent.errors,
    perSecond: sent.answered / sent.seconds,
    perCpuSecond: sent.answered / cpuSeconds,
    cpuMicroseconds: (cpuSeconds * MICROSECONDS_PER_SECOND) / sent.answered,
    userMicroseconds: ((after.userMs - before.userMs) * MICROSECONDS_PER_MS) / sent.answered,
    cpuShare: cpuSeconds / sent.seconds,
    pssMb: pssKib / KIBIBYTES_PER_MB,
  }
}
