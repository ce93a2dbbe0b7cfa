/** What the person asked for, or one sentence on what is wrong with it. */
import { parseArgs } from 'node:util'
import type { Bench, Measurement } from './measurement.ts'
import { MEASUREMENTS } from './measurements.ts'

export interface Options {
  readonly scale: Bench['scale']
  readonly measurements: readonly Measurement[]
  readonly proxies: number
  readonly json: boolean
  readonly save: boolean
}

export type Asked =
  | { readonly kind: 'run'; readonly options: Options }
  | { readonly kind: 'help' }
  | { readonly kind: 'problem'; readonly problem: string }

const PROXIES_DEFAULT = 10
const PROXIES_QUICK = 2
const PROXIES_MAX = 1_000

export const HELP = `Measures Gatehouse on this machine, with a Redis of its own. Takes some minutes.

  npm run bench -- [options]

  --only NAME    one measurement; may be given several times
  --proxies N    how many "many proxies" are (${PROXIES_DEFAULT})
  --quick        small numbers in a few seconds: shows that everything works, judges nothing
  --json         one JSON document instead of the table
  --save         also writes bench/results/latest.md and latest.json

Measurements:
${MEASUREMENTS.map(({ name, about }) => `  ${name.padEnd(13)}  ${about}`).join('\n')}

Exit codes: 0 every floor is held · 1 a floor is missed, or it could not be measured · 2 usage · 130 interrupted
`

export const readOptions = (args: readonly string[]): Asked => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true },
        proxies: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return { kind: 'help' }
    const { quick, json, save, only } = values
    const names = MEASUREMENTS.map(({ name }) => name)
    const unknown = only?.find((name) => !names.includes(name))
    if (unknown !== undefined) {
      return problem(`--only is "${unknown}"; expected one of ${names.join(', ')}`)
    }
    const proxies = Number(values.proxies ?? (quick ? PROXIES_QUICK : PROXIES_DEFAULT))
    if (!Number.isInteger(proxies) || proxies < 1 || proxies > PROXIES_MAX) {
      return problem(`--proxies is "${values.proxies}"; expected a number from 1 to ${PROXIES_MAX}`)
    }
    const measurements = MEASUREMENTS.filter(({ name }) => only?.includes(name) ?? true)
    const scale = quick ? 'quick' : 'full'
    return { kind: 'run', options: { scale, measurements, proxies, json, save } }
  } catch (error) {
    // Of what is tried above, only reading the arguments throws: an unknown option, or one without its value.
    return problem(error instanceof Error ? error.message : String(error))
  }
}

const problem = (sentence: string): Asked => ({ kind: 'problem', problem: sentence })
