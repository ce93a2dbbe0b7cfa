/**
 * Which processor runs what: the proxy that is measured has one to itself, the load and the backend share
 * another. Otherwise they take turns on all of them, and what a proxy gets depends on its neighbours.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Pinning {
  /** What to put before a command line. */
  readonly proxy: readonly string[]
  readonly load: readonly string[]
  /** For those who want to believe the figures. */
  readonly note: string
}

export const choosePinning = (): Pinning => {
  const processors = allowedProcessors()
  const [first, second] = processors
  if (first === undefined || second === undefined) {
    return unpinned('The machine has fewer than two processors')
  }
  if (spawnSync('taskset', ['--version']).status !== 0) return unpinned('There is no taskset here')
  return {
    proxy: ['taskset', '-c', String(first)],
    load: ['taskset', '-c', String(second)],
    note: `The proxy under test has processor ${first} to itself; load and backend share processor ${second}.`,
  }
}

const unpinned = (reason: string): Pinning => ({
  proxy: [],
  load: [],
  note: `${reason}: proxy, load and backend take from each other, so only the figures per CPU-second count.`,
})

/** Such as `0-3,8`. */
const allowedProcessors = (): readonly number[] => {
  const status = readFileSync('/proc/self/status', 'utf8')
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? ''
  return list.split(',').flatMap((range) => {
    const [from = Number.NaN, to = from] = range.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, index) => from + index)
  })
}
