/** What a process and everything that it started have taken so far, as Linux counts it. */
import { readFileSync, readdirSync } from 'node:fs'

export interface ProcessorTime {
  /** On all processors together, user and system, in milliseconds, in steps of 10. */
  readonly cpuMs: number
  /** The part of it that is not spent in the kernel. */
  readonly userMs: number
}

export interface TreeUsage extends ProcessorTime {
  /** Pages shared with others count in parts (PSS), and in full (RSS); in kibibytes. */
  readonly pssKib: number
  readonly rssKib: number
}

/** What Linux calls a tick is a hundredth of a second on every machine that Node runs on. */
const MS_PER_TICK = 10

/** Nothing is read as nothing: a process may end at any moment. */
export const usageOfTree = (pid: number): TreeUsage => {
  const pids = pidsOfTree(pid)
  return {
    ...processorTime(pids),
    pssKib: sum(pids, (each) => kibibytes(each, 'Pss')),
    rssKib: sum(pids, (each) => kibibytes(each, 'Rss')),
  }
}

/** Without a walk through memory. */
export const processorTimeOfTree = (pid: number): ProcessorTime => processorTime(pidsOfTree(pid))

/** The process and everything below it; only itself where there is no /proc. */
export const pidsOfTree = (pid: number): readonly number[] => [
  pid,
  ...childrenOf(pid).flatMap(pidsOfTree),
]

const childrenOf = (pid: number): readonly number[] =>
  (quietly(() => readdirSync(`/proc/${pid}/task`)) ?? []).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  )

const processorTime = (pids: readonly number[]): ProcessorTime =>
  pids.map(timesOf).reduce(
    (total, { cpuMs, userMs }) => ({
      cpuMs: total.cpuMs + cpuMs,
      userMs: total.userMs + userMs,
    }),
    { cpuMs: 0, userMs: 0 },
  )

const timesOf = (pid: number): ProcessorTime => {
  const stat = read(`/proc/${pid}/stat`)
  // The second field is the name in brackets; counted after it, the 12th and 13th are the times.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [userTicks, systemTicks] = [Number(fields[11] ?? 0), Number(fields[12] ?? 0)]
  return { cpuMs: (userTicks + systemTicks) * MS_PER_TICK, userMs: userTicks * MS_PER_TICK }
}

const kibibytes = (pid: number, what: 'Pss' | 'Rss'): number =>
  Number(new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)

const read = (path: string): string => quietly(() => readFileSync(path, 'utf8')) ?? ''

const quietly = <Value>(reading: () => Value): Value | undefined => {
  try {
    return reading()
  } catch {
    return undefined
  }
}

const sum = (pids: readonly number[], of: (pid: number) => number): number =>
  pids.reduce((total, pid) => total + of(pid), 0)
