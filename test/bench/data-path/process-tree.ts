/** What a process and everything that it started have taken so far, as Linux counts it. */
import { readFileSync, readdirSync } from 'node:fs'

export interface TreeUsage {
  /** On all processors together, user and system, in milliseconds, in steps of 10. */
  readonly cpuMs: number
  /** Pages shared with others count in parts (PSS), and in full (RSS); in kibibytes. */
  readonly pssKib: number
  readonly rssKib: number
}

/** What Linux calls a tick is a hundredth of a second on every machine that Node runs on. */
const MS_PER_TICK = 10

/** Nothing is read as nothing: a process may end at any moment. */
export const usageOfTree = (pid: number): TreeUsage => {
  const pids = treeOf(pid)
  return {
    cpuMs: cpuMsOf(pids),
    pssKib: sum(pids, (each) => kibibytes(each, 'Pss')),
    rssKib: sum(pids, (each) => kibibytes(each, 'Rss')),
  }
}

/** The processor time alone: it costs no walk through memory. */
export const cpuMsOfTree = (pid: number): number => cpuMsOf(treeOf(pid))

const treeOf = (pid: number): readonly number[] => [pid, ...childrenOf(pid).flatMap(treeOf)]

const childrenOf = (pid: number): readonly number[] =>
  (quietly(() => readdirSync(`/proc/${pid}/task`)) ?? []).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  )

const cpuMsOf = (pids: readonly number[]): number =>
  sum(pids, (pid) => {
    const stat = read(`/proc/${pid}/stat`)
    // The second field is the name in brackets; counted after it, the 12th and 13th are the times.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * MS_PER_TICK
  })

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
