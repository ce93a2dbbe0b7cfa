/** What another process has taken so far, as the system counts it. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

export interface ProcessUsage {
  /** On all processors together, user and system, in milliseconds; the system counts in steps of 10. */
  readonly cpuMs: number
  /** Resident memory, in megabytes (10^6 bytes). */
  readonly memoryMb: number
}

const KIBIBYTES_PER_MB = 1_000_000 / 1_024
/** What Linux calls a tick is a hundredth of a second on every machine that Node runs on. */
const MS_PER_TICK = 10
const run = promisify(execFile)

/** Throws when there is no such process. */
export const usageOf = (pid: number): Promise<ProcessUsage> =>
  // Slim images of Linux have no ps.
  process.platform === 'linux' ? usageFromProc(pid) : usageFromPs(pid)

const usageFromProc = async (pid: number): Promise<ProcessUsage> => {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ])
  // The second field is the name in brackets; counted after it, the 12th and 13th are the times.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
    memoryMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / KIBIBYTES_PER_MB,
  }
}

const usageFromPs = async (pid: number): Promise<ProcessUsage> => {
  const { stdout } = await run('ps', ['-o', 'rss=,time=', '-p', String(pid)])
  const [kibibytes, time = ''] = stdout.trim().split(/\s+/)
  const seconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return { cpuMs: seconds * 1_000, memoryMb: Number(kibibytes) / KIBIBYTES_PER_MB }
}
