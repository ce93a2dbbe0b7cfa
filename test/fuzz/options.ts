/** What the person asked for, or one sentence on what is wrong with it. */
import { parseArgs } from 'node:util'
import type { LevelName } from './case.ts'

export interface Options {
  readonly seed: number
  readonly durationMs: number
  readonly levels: readonly LevelName[]
}

export type Asked =
  | { readonly kind: 'run'; readonly options: Options }
  | { readonly kind: 'help' }
  | { readonly kind: 'problem'; readonly problem: string }

export const LEVEL_NAMES: readonly LevelName[] = [
  'request-heads',
  'response-heads',
  'chunked-bodies',
  'pipelines',
  'splits',
  'sockets',
]

const DURATION_DEFAULT = '1m'
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }
const SEED_MAX = 2 ** 32 - 1

export const HELP = `Looks for messages that our parsers and llhttp, Node's own, read differently.

  npm run fuzz -- [options]

  --seed N        from 0 to ${SEED_MAX}; the same seed tries the same cases (a random one)
  --duration T    for how long, such as 30s, 10m or 1h (${DURATION_DEFAULT})
  --only LEVEL    one of ${LEVEL_NAMES.join(', ')};
                  may be given several times

Exit codes: 0 no disagreement · 1 one was found, and is shown cut down · 2 usage
`

export const readOptions = (args: readonly string[]): Asked => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string' },
        duration: { type: 'string', default: DURATION_DEFAULT },
        only: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return { kind: 'help' }
    const { duration, only = LEVEL_NAMES } = values
    const seed = values.seed === undefined ? randomSeed() : Number(values.seed)
    if (values.seed === '' || !Number.isInteger(seed) || seed < 0 || seed > SEED_MAX) {
      return problem(`--seed is "${values.seed}"; expected a number from 0 to ${SEED_MAX}`)
    }
    const [, amount = '', unit = ''] = /^(\d+)([smh])$/.exec(duration) ?? []
    const durationMs = Number(amount) * (UNIT_MS[unit] ?? 0)
    if (durationMs === 0) {
      return problem(`--duration is "${duration}"; expected a time such as 30s, 10m or 1h`)
    }
    const unknown = only.find((name) => !LEVEL_NAMES.some((known) => known === name))
    if (unknown !== undefined) {
      return problem(`--only is "${unknown}"; expected one of ${LEVEL_NAMES.join(', ')}`)
    }
    const levels = LEVEL_NAMES.filter((name) => only.includes(name))
    return { kind: 'run', options: { seed, durationMs, levels } }
  } catch (error) {
    // Of what is tried above, only reading the arguments throws: an unknown option, or one without its value.
    return problem(error instanceof Error ? error.message : String(error))
  }
}

const randomSeed = (): number => Math.floor(Math.random() * SEED_MAX)

const problem = (sentence: string): Asked => ({ kind: 'problem', problem: sentence })
