/** What the person asked for, or one sentence on what is wrong with it. */
import { parseArgs } from 'node:util'
import { parseDuration } from '../../apps/cmd/src/spec/duration.ts'
import { parseSize } from '../../apps/cmd/src/spec/size.ts'
import { KINDS } from './mix.ts'

export interface SoakOptions {
  readonly durationMs: number
  /** Of clients, all kinds together. */
  readonly connections: number
  readonly tolerances: Tolerances
}

/**
 * By how much one process may differ from its baseline once it has settled; descriptors may not at all. A
 * proxy keeps the newest events of the log in memory, up to a bound of some ten megabytes.
 */
export interface Tolerances {
  readonly retainedBytes: number
  readonly residentBytes: number
}

export type Asked =
  | { readonly kind: 'run'; readonly options: SoakOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'problem'; readonly problem: string }

const DURATION_MS_MIN = 1_000
const CONNECTIONS_MAX = 1_024

export const HELP = `Runs a whole fleet under a mix of everything for a long time, and looks for what it does not give back.

  npm run soak -- [options]

  --duration 10m     how long, after a warm-up that sets the baseline: 1h for a real one
  --connections 64   from clients, of all kinds together
  --retained 16MB    by how much the live heap of a process may have grown once it has settled
  --resident 64MB    by how much its resident memory may have

The mix: ${KINDS.join(', ')}; the service is switched to and fro all the while.

Exit codes: 0 everything was answered and given back · 1 it was not · 2 usage · 130 interrupted
`

export const readSoakOptions = (args: readonly string[]): Asked => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        duration: { type: 'string', default: '10m' },
        connections: { type: 'string', default: '64' },
        retained: { type: 'string', default: '16MB' },
        resident: { type: 'string', default: '64MB' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return { kind: 'help' }
    return {
      kind: 'run',
      options: {
        durationMs: durationOf(values.duration),
        connections: connectionsOf(values.connections),
        tolerances: {
          retainedBytes: sizeOf('--retained', values.retained),
          residentBytes: sizeOf('--resident', values.resident),
        },
      },
    }
  } catch (error) {
    // What is thrown above is a sentence of ours, or one of parseArgs on an unknown option or a missing value.
    return { kind: 'problem', problem: error instanceof Error ? error.message : String(error) }
  }
}

const durationOf = (text: string): number => {
  const parsed = parseDuration(text)
  if ('problem' in parsed) throw new Error(`--duration: ${parsed.problem}`)
  if (parsed.ms >= DURATION_MS_MIN) return parsed.ms
  throw new Error(`--duration: found "${text}"; expected at least ${DURATION_MS_MIN} ms`)
}

const connectionsOf = (text: string): number => {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  // One for each kind, at least.
  if (value >= KINDS.length && value <= CONNECTIONS_MAX) return value
  throw new Error(
    `--connections is "${text}"; expected a whole number from ${KINDS.length} to ${CONNECTIONS_MAX}`,
  )
}

const sizeOf = (option: string, text: string): number => {
  const parsed = parseSize(text)
  if ('bytes' in parsed && parsed.bytes !== 'unlimited') return parsed.bytes
  throw new Error(`${option} is "${text}"; expected a size such as "16MB"`)
}
