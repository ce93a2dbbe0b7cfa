/** What a run found: each figure with its spread, and whether its floor and its goal are held. */
import type { Comparison } from './comparison.ts'
import { FIGURE_NAMES, figureOf, type Figure, type FigureName } from './figures.ts'
import type { Machine } from './machine.ts'
import type { Measured } from './measurement.ts'
import { median } from './statistics.ts'

export interface Report {
  /** ISO 8601. */
  readonly date: string
  readonly command: string
  readonly machine: Machine
  readonly scale: 'full' | 'quick'
  readonly rows: readonly Row[]
  readonly comparisons: readonly Comparison[]
  readonly notes: readonly string[]
  /** What should have been measured and could not be. */
  readonly failures: readonly string[]
}

export interface Row extends Pick<Figure, 'title' | 'unit' | 'better' | 'floor' | 'goal'> {
  readonly name: FigureName
  readonly measured: number
  /** The lowest and the highest of the repetitions. */
  readonly lowest: number
  readonly highest: number
  readonly repetitions: number
  readonly verdict: Verdict
}

/**
 * `goal`: the goal is reached. `floor`: the floor is held, the goal is not. `short`: there is no floor, and
 * the goal is not reached. `missed`: below the floor. `unjudged`: there is nothing to hold it to.
 */
export type Verdict = 'goal' | 'floor' | 'short' | 'missed' | 'unjudged'

/** In the order of `FIGURE_NAMES`. The figures of a quick run are not judged. */
export const rowsOf = (samples: Measured['samples'], scale: Report['scale']): readonly Row[] =>
  FIGURE_NAMES.flatMap((name) => {
    const values = samples[name]
    return values === undefined ? [] : [rowOf(name, values, scale)]
  })

/** Whether a floor is missed, or something could not be measured. */
export const hasFailed = ({ rows, failures }: Report): boolean =>
  failures.length > 0 || rows.some(({ verdict }) => verdict === 'missed')

export const verdictOf = (measured: number, { better, floor, goal }: Figure): Verdict => {
  const holds = (bound: number): boolean =>
    better === 'less' ? measured <= bound : measured >= bound
  if (floor !== undefined && !holds(floor)) return 'missed'
  if (goal !== undefined && holds(goal)) return 'goal'
  if (floor !== undefined) return 'floor'
  return goal === undefined ? 'unjudged' : 'short'
}

const rowOf = (name: FigureName, values: readonly number[], scale: Report['scale']): Row => {
  const figure = figureOf(name)
  const { title, unit, better, counts, floor, goal } = figure
  const lowest = Math.min(...values)
  const highest = Math.max(...values)
  const worst = better === 'less' ? highest : lowest
  const measured = counts === 'median' ? median(values) : worst
  return {
    name,
    title,
    unit,
    better,
    measured,
    lowest,
    highest,
    repetitions: values.length,
    ...(floor === undefined ? {} : { floor }),
    ...(goal === undefined ? {} : { goal }),
    verdict: scale === 'quick' ? 'unjudged' : verdictOf(measured, figure),
  }
}
