/**
 * One line of the data path: a load, who is put under it, and which ratios are made of what comes out.
 * A new one (over TLS, say) is one more of these in `lines.ts`, and its floors in `figures.ts`.
 */
import type { Comparison, Entry } from '../comparison.ts'
import type { Bench, Measured, Measurement } from '../measurement.ts'
import { median } from '../statistics.ts'
import type { BackendName } from './backends.ts'
import { VARIANT_NAMES, type ContenderName } from './contenders.ts'
import { figuresOf, type FigureRule, type FigureRules, type Name } from './figure-rule.ts'
import { runInTurns, type Runner, type Sample } from './in-turns.ts'
import type { Load } from './load.ts'
import { openStand, type Stand } from './stand.ts'
import type { Missing } from './tools.ts'

export interface Line {
  /** What `--only` calls it. */
  readonly name: string
  readonly title: string
  readonly backend: BackendName
  readonly load: Load
  readonly contenders: readonly ContenderName[]
  readonly compares: Comparing
  /** Also puts the backend alone under the load, for the share that a proxy leaves of it. */
  readonly direct?: true
  readonly figures: FigureRules<Outcome>
}

export type Comparing = 'requests' | 'messages' | 'p99'

export interface Outcome {
  /** One for each repetition. */
  readonly samples: readonly Sample[]
}

/** What the first has of something divided by what the second has of it in the same turn. */
export const ratio = (
  of: ContenderName,
  to: Name,
  what: 'perCpuSecond' | 'perSecond' | 'p99Ms' = 'perCpuSecond',
): FigureRule<Outcome> => ({
  uses: [of, to],
  values: (...[one, other]) =>
    one?.samples.map((sample, turn) => sample[what] / (other?.samples[turn]?.[what] ?? 0)) ?? [],
})

/** Something that stands for itself. */
export const amount = (
  of: ContenderName,
  values: (outcome: Outcome) => readonly number[],
): FigureRule<Outcome> => ({ uses: [of], values: (...outcomes) => outcomes.flatMap(values) })

const COMPARING: Readonly<Record<Comparing, Pick<Comparison, 'compared' | 'better'>>> = {
  requests: { compared: 'requests per CPU-second', better: 'more' },
  messages: { compared: 'messages per CPU-second', better: 'more' },
  p99: { compared: 'p99 in ms', better: 'less' },
}
/** Until what is compiled on the way is compiled, or for as long as one run takes if that is less. */
const WARM_UP_SECONDS_MAX = 3
const STARVED_SHARE = 0.5
/** What a reader has to know who takes the figures elsewhere. */
const SCOPE =
  'This is one machine and its loopback, which is no network, and peers as the package manager has them, which may be years old. Not measured: several processors for one proxy, TLS on either side, HTTP/2 and HTTP/3, compression, what observability costs.'
const ROUTES: Readonly<Record<Bench['scale'], number>> = { full: 10_000, quick: 100 }

export const measurementOf = (line: Line): Measurement => ({
  name: line.name,
  part: 'http',
  about: line.title,
  measure: async ({ lab, scale, load: { seconds, repetitions, peers } }) => {
    const contenders = askedOf(line.contenders, peers)
    lab.say(`${line.name}: starting ${contenders.join(', ')} …`)
    const opened = await openStand(lab, {
      backend: line.backend,
      contenders,
      routes: ROUTES[scale],
    })
    if ('missing' in opened) return nothingOf(line.name, opened)
    await using stand = opened
    const found = await line.load.find(stand.site)
    if ('missing' in found) return nothingOf(line.name, found)
    const warmUpSeconds = Math.min(seconds, WARM_UP_SECONDS_MAX)
    const samples = await runInTurns(stand, runnersOf(line, stand), line.load, {
      seconds,
      repetitions,
      warmUpSeconds,
      onTurn: (turn) => lab.say(`${line.name}: ${turn} of ${repetitions} …`),
    })
    const { generator } = found
    return measuredOf(line, stand, samples, [
      `${generator}: ${repetitions} × ${seconds} s for each contender, in turns after a warm-up of ${warmUpSeconds} s. Gatehouse has ${ROUTES[scale]} routes, the others one. ${stand.site.pinning.note}`,
      SCOPE,
    ])
  },
})

/** What a line comes to that cannot be measured at all. */
export const nothingOf = (line: string, { missing }: Missing): Measured => ({
  samples: {},
  notes: [],
  failures: [`${line}: ${missing}`],
})

/** Ours, and of the others those that the person has named; all when none is named. */
export const askedOf = (
  contenders: readonly ContenderName[],
  peers: Bench['load']['peers'],
): readonly ContenderName[] => {
  const wanted: readonly string[] = [...VARIANT_NAMES, ...peers]
  return peers.length === 0 ? contenders : contenders.filter((name) => wanted.includes(name))
}

const runnersOf = (
  { direct }: Line,
  { targets, site, backendPid }: Stand,
): readonly Runner<Name>[] =>
  direct ? [...targets, { name: 'direct', port: site.backendPort, pid: backendPid }] : targets

const measuredOf = (
  line: Line,
  { targets, absent }: Stand,
  samples: ReadonlyMap<Name, readonly Sample[]>,
  notes: readonly string[],
): Measured => {
  const outcomes = new Map(
    [...samples].map(([name, ofOne]) => {
      const errors = ofOne.reduce((sum, sample) => sum + sample.errors, 0)
      return [name, { samples: ofOne, errors }]
    }),
  )
  const figures = figuresOf(line.name, line.figures, { outcomes, absent })
  const entries = [...outcomes].map(([name, outcome]): Entry => {
    const version = targets.find((target) => target.name === name)?.version ?? ''
    return entryOf(name, version, outcome, line.compares)
  })
  const comparison: Comparison = {
    name: line.name,
    title: line.title,
    ...COMPARING[line.compares],
    entries,
  }
  return {
    ...figures,
    notes: [...notes, ...starvedNotes(line, outcomes), ...figures.notes],
    comparison,
  }
}

/** Who was kept from working: what is counted then is mostly what its neighbours do to its caches. */
const starvedNotes = (
  { name, compares }: Line,
  outcomes: ReadonlyMap<Name, Outcome>,
): readonly string[] => {
  const starved = [...outcomes]
    .filter(([, { samples }]) => median(samples.map(({ cpuShare }) => cpuShare)) < STARVED_SHARE)
    .map(([contender]) => contender)
    .filter((contender) => contender !== 'direct')
  if (compares === 'p99' || starved.length === 0) return []
  return [
    `${name}: ${starved.join(', ')} had less than half of the processor, because others took it or the load was too small. Read the figures as hints.`,
  ]
}

const entryOf = (
  name: Name,
  version: string,
  { samples, errors }: Outcome & { readonly errors: number },
  compares: Comparing,
): Entry => {
  const middle = (what: keyof Sample): number => median(samples.map((sample) => sample[what]))
  const isP99 = compares === 'p99'
  return {
    name,
    version,
    values: samples.map((sample) => sample[isP99 ? 'p99Ms' : 'perCpuSecond']),
    details: {
      'per second': middle('perSecond'),
      'CPU µs each': middle('cpuMicroseconds'),
      'of it user': middle('userMicroseconds'),
      'CPU %': middle('cpuShare') * 100,
      'p50 ms': middle('p50Ms'),
      'p99 ms': middle('p99Ms'),
      'PSS MB': middle('pssMb'),
    },
    errors,
  }
}
