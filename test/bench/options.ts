/** What the person asked for, or one sentence on what is wrong with it. */
import { parseArgs } from 'node:util'
import { PEER_NAMES, type PeerName } from './data-path/contenders.ts'
import type { Bench, Measurement, Part } from './measurement.ts'
import { MEASUREMENTS } from './measurements.ts'
import { SCENARIO_LIST } from './scenarios/options.ts'

export interface Options {
  readonly scale: Bench['scale']
  readonly measurements: readonly Measurement[]
  readonly proxies: number
  readonly load: Bench['load']
  /** The part that was asked for; all of them otherwise. */
  readonly part?: Part
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
const SECONDS_DEFAULT = 3
const SECONDS_QUICK = 1
const SECONDS_MAX = 600
const REPETITIONS_DEFAULT = 3
const REPETITIONS_QUICK = 1
const REPETITIONS_MAX = 100

const PARTS: Readonly<Record<Part, string>> = {
  http: 'the data path, side by side with other proxies (about fifteen minutes; Linux only)',
  events: 'events and starts (about three minutes)',
}

const listOf = (part: Part): string =>
  MEASUREMENTS.filter((each) => each.part === part)
    .map(({ name, about }) => `    ${name.padEnd(15)}  ${about}`)
    .join('\n')

export const HELP = `Measures Gatehouse on this machine, with a Redis of its own and private copies of its peers. Takes some minutes.

  npm run bench -- [part] [options]

  --only NAME      one measurement; may be given several times
  --peer NAME      compares with this peer alone; may be given several times
  --seconds N      how long one run of a load takes (${SECONDS_DEFAULT})
  --repetitions N  how many runs of a load there are (${REPETITIONS_DEFAULT})
  --proxies N      how many "many proxies" are (${PROXIES_DEFAULT})
  --quick          small numbers in little time: shows that everything works, judges nothing
  --json           one JSON document instead of the table
  --save           also writes Markdown, JSON and a plot to bench/results: latest.*, or PART.* for one part

Parts and measurements:
  http: ${PARTS.http}
${listOf('http')}
  events: ${PARTS.events}
${listOf('events')}

Peers: ${PEER_NAMES.join(', ')}

Scenarios put the whole product under load (npm run bench -- --scenario NAME; with --help for its options):
${SCENARIO_LIST}
Exit codes: 0 every floor is held · 1 a floor is missed, or it could not be measured · 2 usage · 130 interrupted
`

export const readOptions = (args: readonly string[]): Asked => {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true },
        peer: { type: 'string', multiple: true, default: [] },
        seconds: { type: 'string' },
        repetitions: { type: 'string' },
        proxies: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return { kind: 'help' }
    const { quick, json, save } = values
    const part = partOf(positionals)
    const measurements = MEASUREMENTS.filter((each) => part === undefined || each.part === part)
    const only = values.only ?? measurements.map(({ name }) => name)
    const count = (name: 'seconds' | 'repetitions' | 'proxies', usual: number, max: number) =>
      countOf(name, values[name] ?? String(usual), max)
    return {
      kind: 'run',
      options: {
        scale: quick ? 'quick' : 'full',
        measurements: only.map((name) => measurementNamed(name, measurements)),
        proxies: count('proxies', quick ? PROXIES_QUICK : PROXIES_DEFAULT, PROXIES_MAX),
        load: {
          seconds: count('seconds', quick ? SECONDS_QUICK : SECONDS_DEFAULT, SECONDS_MAX),
          repetitions: count(
            'repetitions',
            quick ? REPETITIONS_QUICK : REPETITIONS_DEFAULT,
            REPETITIONS_MAX,
          ),
          peers: values.peer.map(peerOf),
        },
        ...(part === undefined ? {} : { part }),
        json,
        save,
      },
    }
  } catch (error) {
    // Of what is tried above, only reading the arguments throws: an unknown option, or a wrong value.
    return { kind: 'problem', problem: error instanceof Error ? error.message : String(error) }
  }
}

const partOf = ([name, ...more]: readonly string[]): Part | undefined => {
  if (name === undefined) return undefined
  if (more.length > 0)
    throw new Error(`"${more[0]}" is one part too many; all are measured without a name`)
  if (name === 'http' || name === 'events') return name
  throw new Error(`"${name}" is no part; expected ${Object.keys(PARTS).join(' or ')}`)
}

const countOf = (name: string, text: string, max: number): number => {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= max) return count
  throw new Error(`--${name} is "${text}"; expected a number from 1 to ${max}`)
}

const measurementNamed = (name: string, measurements: readonly Measurement[]): Measurement => {
  const found = measurements.find((each) => each.name === name)
  if (found !== undefined) return found
  const names = measurements.map((each) => each.name).join(', ')
  throw new Error(`--only is "${name}"; expected one of ${names}`)
}

const peerOf = (name: string): PeerName => {
  const found = PEER_NAMES.find((each) => each === name)
  if (found !== undefined) return found
  throw new Error(`--peer is "${name}"; expected one of ${PEER_NAMES.join(', ')}`)
}
