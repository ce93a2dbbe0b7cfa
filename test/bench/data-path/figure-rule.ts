/** How figures are made of what the contenders have done: only of those who did it without an error. */
import type { FigureName } from '../figures.ts'
import type { Measured } from '../measurement.ts'
import { VARIANT_NAMES, type ContenderName } from './contenders.ts'

/** Somebody under load: a contender, or the backend without any proxy. */
export type Name = ContenderName | 'direct'

export interface FigureRule<Outcome> {
  /** Of whom it speaks. */
  readonly uses: readonly Name[]
  /** What they have done, in the order of `uses`; one value for each repetition. */
  readonly values: (...outcomes: readonly Outcome[]) => readonly number[]
}

export type FigureRules<Outcome> = Readonly<Partial<Record<FigureName, FigureRule<Outcome>>>>

export interface Found<Outcome> {
  readonly outcomes: ReadonlyMap<Name, Outcome & { readonly errors: number }>
  /** Who does not take part, and why. */
  readonly absent: ReadonlyMap<Name, string>
}

/**
 * The samples of all figures that can be made, and sentences on those that cannot: a peer that is absent
 * or has errors is a note, the same of Gatehouse is a failure.
 */
export const figuresOf = <Outcome>(
  line: string,
  rules: FigureRules<Outcome>,
  { outcomes, absent }: Found<Outcome>,
): Measured => {
  const problems = new Map<Name, string>(absent)
  for (const [name, { errors }] of outcomes) {
    if (errors > 0)
      problems.set(
        name,
        `It is void, with ${errors} errors: sockets that failed, other statuses, or no answer in time.`,
      )
  }
  const sentencesOn = (wanted: (name: Name) => boolean): readonly string[] =>
    [...problems]
      .filter(([name]) => wanted(name))
      .map(([name, problem]) => `${line}: no figures of ${name}. ${problem}`)
  const failures = sentencesOn(isOurs)
  const notes = sentencesOn((name) => !isOurs(name))
  const samples: Partial<Record<FigureName, readonly number[]>> = {}
  for (const [figure, { uses, values }] of entriesOf(rules)) {
    const used = uses.flatMap((name) => {
      const outcome = outcomes.get(name)
      return outcome === undefined || outcome.errors > 0 ? [] : [outcome]
    })
    if (used.length === uses.length) samples[figure] = values(...used)
  }
  return { samples, notes, failures }
}

const isOurs = (name: Name): boolean => VARIANT_NAMES.some((variant) => variant === name)

const entriesOf = <Outcome>(
  rules: FigureRules<Outcome>,
): readonly (readonly [FigureName, FigureRule<Outcome>])[] =>
  // The keys of such a record are names of figures.
  Object.entries(rules) as readonly (readonly [FigureName, FigureRule<Outcome>])[]
