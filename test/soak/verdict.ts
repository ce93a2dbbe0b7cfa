/** Whether a soak has left anything behind, and how it is said. */
import { sayDuration } from '../../apps/cmd/src/spec/duration.ts'
import type { Books } from '../bench/scenarios/load/plan.ts'
import {
  BUFFER_BYTES_GROWN_MAX,
  grouped,
  judgeErrors,
  judgeSpans,
  sayMegabytes,
  type Judged,
} from '../bench/scenarios/thresholds.ts'
import type { Tolerances } from './options.ts'
import type { Progress, Soaked } from './soak.ts'

export interface Verdict {
  readonly judged: readonly Judged[]
  readonly holds: boolean
}

/** Nothing may be wrong or missing, and nothing may be kept but a bit of memory. */
export const verdictOf = (
  { books, spans }: Pick<Soaked, 'books' | 'spans'>,
  tolerances: Tolerances,
): Verdict => {
  const judged = [
    ...Object.entries(books).map(([name, book]) => ({
      ...judgeErrors({ count: 0 }, book),
      name: `errors, ${name}`,
    })),
    ...judgeSpans({ ...tolerances, bufferBytes: BUFFER_BYTES_GROWN_MAX, descriptors: 0 }, spans),
  ]
  return { judged, holds: judged.every(({ holds }) => holds) }
}

/** One line for a moment on the way. */
export const lineOf = ({ elapsedMs, books, switches, looks }: Progress): string => {
  const all = Object.values(books)
  const sum = (of: 'good' | 'errors'): string =>
    grouped(all.reduce((total, book) => total + book[of], 0))
  const processes = looks.map(
    ({ name, heapBytes, rssBytes, descriptors }) =>
      `${name} heap ${sayMegabytes(heapBytes)}, resident ${sayMegabytes(rssBytes)}, ${descriptors.length} descriptors`,
  )
  return [
    `${sayDuration(elapsedMs)}: ${sum('good')} answered, ${sum('errors')} errors, ${switches} switches`,
    ...processes,
  ].join(' · ')
}

export const textOf = ({ books, switches }: Soaked, { judged, holds }: Verdict): string => {
  const lines = [
    ...linesOfBooks(books),
    `${switches} switches.`,
    ...judged
      .filter(({ name }) => !name.startsWith('errors'))
      .map(
        ({ name, measured, bound, holds: held }) =>
          `${held ? 'ok' : 'NO'}  ${name}: ${measured} (${bound})`,
      ),
    holds
      ? 'Everything was answered, and everything was given back.'
      : `NOT as it should be: ${judged
          .filter((each) => !each.holds)
          .map(({ name, measured, bound }) => `${name} is ${measured}, not ${bound}`)
          .join('; ')}.`,
  ]
  return `${lines.join('\n')}\n`
}

const linesOfBooks = (books: Books): readonly string[] =>
  Object.entries(books).flatMap(([name, { good, errors, firstErrors, latencyMs }]) => [
    `${name}: ${grouped(good)} good, ${errors} errors, p99 ${latencyMs.p99.toFixed(1)} ms`,
    ...firstErrors.map((sentence) => `  ${sentence}`),
  ])
