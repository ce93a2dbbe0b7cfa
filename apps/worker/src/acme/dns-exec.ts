/**
 * TXT records by a program of the operator's: `<program> present <name> <value>` and, when the CA has
 * looked, `<program> cleanup <name> <value>`. The name has no last dot. Anything but exit 0 is a failure,
 * with the last line that it wrote as the reason.
 */
import { execFile } from 'node:child_process'
import { printable } from '../probe.ts'
import type { DnsRecords } from './dns-records.ts'
import { AcmeFailure } from './problem.ts'

const RUN_MS_MAX = 120_000
const OUTPUT_BYTES_MAX = 100_000

export const createProgramRecords = (program: string): DnsRecords => {
  const call = async (
    verb: 'present' | 'cleanup',
    record: string,
    value: string,
    signal: AbortSignal,
  ): Promise<void> => {
    const trouble = await run(program, [verb, record, value], signal)
    if (trouble !== undefined) throw new AcmeFailure(`${program} ${verb} ${record}: ${trouble}`)
  }
  return {
    present: (record, value, signal) => call('present', record, value, signal),
    cleanup: (record, value, signal) => call('cleanup', record, value, signal),
  }
}

/** What went wrong; undefined after exit 0. */
const run = (
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> =>
  new Promise((resolve) => {
    const limits = { signal, timeout: RUN_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX }
    execFile(program, args, limits, (error, stdout, stderr) => {
      if (error === null) resolve(undefined)
      else if (error.killed === true) resolve(`it did not end within ${RUN_MS_MAX / 1_000} s`)
      else if (typeof error.code !== 'number') resolve(error.message)
      else {
        const said = printable(`${stdout}\n${stderr}`.trim().split('\n').at(-1) ?? '')
        resolve(`exit ${error.code}${said === '' ? '' : `: ${said}`}`)
      }
    })
  })
