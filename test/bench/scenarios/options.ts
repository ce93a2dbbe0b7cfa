/** What the person asked for, or one sentence on what is wrong with it. */
import { parseArgs } from 'node:util'
import { didYouMean } from '../../../apps/cmd/src/near-miss.ts'
import { parseDuration } from '../../../apps/cmd/src/spec/duration.ts'
import { parseSize } from '../../../apps/cmd/src/spec/size.ts'
import type { LoadOptions, Scenario } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import type { ErrorsMax, Thresholds } from './thresholds.ts'

export interface ScenarioOptions {
  readonly scenarios: readonly Scenario[]
  /** Where they say nothing, the scenario's own hold. */
  readonly load: Partial<LoadOptions> & Pick<LoadOptions, 'durationMs'>
  readonly thresholds: Thresholds
  readonly json: boolean
}

export type Asked =
  | { readonly kind: 'run'; readonly options: ScenarioOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'list' }
  | { readonly kind: 'problem'; readonly problem: string }

const ALL = 'all'
const DURATION_MS_DEFAULT = 10_000
const DURATION_MS_MIN = 100
const CONNECTIONS_MAX = 4_096
const RATE_MAX = 1_000_000

export const SCENARIO_LIST = SCENARIOS.map(
  ({ name, about }) => `  ${name.padEnd(13)}  ${about}\n`,
).join('')

export const SCENARIO_HELP = `Puts the whole product under load, with a Redis of its own, and holds it to thresholds.

  npm run bench -- --scenario NAME [options]

  --scenario NAME    one of those below, or ${ALL}; may be given several times
  --duration 10s     how long each runs (${DURATION_MS_DEFAULT / 1_000}s), after a short warm-up
  --connections 64   from clients (each scenario has a number of its own)
  --rate 2000        requests per second that are due whatever the answers do; latency counts from when
                     a request was due. Without it, each connection asks as soon as it was answered
  --p50, --p95, --p99 50ms
                     the longest that latency may be
  --errors 0         how many answers may be wrong or missing; 1% for a share
  --retained 16MB    by how much the live heap of a process may have grown once it has settled
  --descriptors 0    how many more files and sockets it may have open then
  --json             one JSON document instead of tables
  --list             the scenarios alone

Scenarios:
${SCENARIO_LIST}
Exit codes: 0 every threshold is held · 1 one is missed, or it could not be measured · 2 usage · 130 interrupted
`

const OPTIONS = {
  scenario: { type: 'string', multiple: true },
  duration: { type: 'string' },
  connections: { type: 'string' },
  rate: { type: 'string' },
  p50: { type: 'string' },
  p95: { type: 'string' },
  p99: { type: 'string' },
  errors: { type: 'string' },
  retained: { type: 'string' },
  descriptors: { type: 'string' },
  json: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** Whether the arguments are for us, rather than for the bench of events and starts. */
export const asksForScenario = (args: readonly string[]): boolean =>
  args.some((arg) => arg === '--list' || arg === '--scenario' || arg.startsWith('--scenario='))

export const readScenarioOptions = (args: readonly string[]): Asked => {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS })
    if (values.help) return { kind: 'help' }
    if (values.list) return { kind: 'list' }
    const scenarios = scenariosOf(values.scenario ?? [])
    const ratePerSecond = values.rate
    const unpaced = scenarios.find(({ takesRate }) => !takesRate)
    if (ratePerSecond !== undefined && unpaced !== undefined && values.scenario?.[0] !== ALL) {
      throw new Problem(`--rate: ${unpaced.name} has a pace of its own; leave it out`)
    }
    return {
      kind: 'run',
      options: {
        scenarios,
        load: {
          durationMs: durationOf(values.duration),
          ...optional(
            'connections',
            whole('--connections', values.connections, 1, CONNECTIONS_MAX),
          ),
          ...optional('ratePerSecond', whole('--rate', ratePerSecond, 1, RATE_MAX)),
        },
        thresholds: {
          ...optional('p50Ms', latencyOf('--p50', values.p50)),
          ...optional('p95Ms', latencyOf('--p95', values.p95)),
          ...optional('p99Ms', latencyOf('--p99', values.p99)),
          ...optional('errors', errorsOf(values.errors)),
          ...optional('retainedBytes', retainedOf(values.retained)),
          ...optional(
            'descriptors',
            whole('--descriptors', values.descriptors, 0, Number.MAX_SAFE_INTEGER),
          ),
        },
        json: values.json,
      },
    }
  } catch (error) {
    // What is thrown above is a sentence of ours, or one of parseArgs on an unknown option or a missing value.
    return { kind: 'problem', problem: error instanceof Error ? error.message : String(error) }
  }
}

/** A sentence on what was asked. */
class Problem extends Error {}

const scenariosOf = (wanted: readonly string[]): readonly Scenario[] => {
  const names = SCENARIOS.map(({ name }) => name)
  for (const name of wanted) {
    if (name === ALL || names.includes(name)) continue
    const guess = didYouMean(name, [...names, ALL])
    throw new Problem(
      `--scenario is "${name}"; expected one of ${names.join(', ')} or ${ALL}${guess}`,
    )
  }
  return wanted.includes(ALL) ? SCENARIOS : SCENARIOS.filter(({ name }) => wanted.includes(name))
}

const durationOf = (text: string | undefined): number => {
  if (text === undefined) return DURATION_MS_DEFAULT
  const parsed = parseDuration(text)
  if ('problem' in parsed) throw new Problem(`--duration: ${parsed.problem}`)
  if (parsed.ms < DURATION_MS_MIN) {
    throw new Problem(`--duration: found "${text}"; expected at least ${DURATION_MS_MIN} ms`)
  }
  return parsed.ms
}

const whole = (
  option: string,
  text: string | undefined,
  min: number,
  max: number,
): number | undefined => {
  if (text === undefined) return undefined
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  throw new Problem(`${option} is "${text}"; expected a whole number ${range}`)
}

const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, '': 1 }

/** As durations are written, and finer: latency on one machine is less than a millisecond. */
const latencyOf = (option: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(us|ms|s|)$/.exec(text) ?? []
  if (amount !== undefined) return Number(amount) * (UNIT_MS[unit] ?? Number.NaN)
  throw new Problem(`${option} is "${text}"; expected a latency such as "50ms", "1.5s" or "800us"`)
}

const errorsOf = (text: string | undefined): ErrorsMax | undefined => {
  if (text === undefined) return undefined
  const [, amount, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? []
  const value = Number(amount)
  if (percent === '%' && value <= 100) return { share: value / 100 }
  if (percent === '' && Number.isInteger(value)) return { count: value }
  throw new Problem(`--errors is "${text}"; expected a number such as "0" or a share such as "1%"`)
}

const retainedOf = (text: string | undefined): number | undefined => {
  // Here 0 means none, and not that there is no bound.
  if (text === undefined || text === '0') return text === undefined ? undefined : 0
  const parsed = parseSize(text)
  if ('problem' in parsed || parsed.bytes === 'unlimited') {
    throw new Problem(`--retained is "${text}"; expected a size such as "16MB"`)
  }
  return parsed.bytes
}

const optional = <Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): Partial<Record<Name, Value>> =>
  // A computed name loses its type.
  (value === undefined ? {} : { [name]: value }) as Partial<Record<Name, Value>>
