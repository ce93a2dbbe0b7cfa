/** Tries one level for a while, counts what came of it, and stops at the first disagreement. */
import { createRandom } from '../../apps/proxy/src/http/testing/mutation.ts'
import type { Case, Level, Verdict } from './case.ts'

export interface Tally {
  readonly counts: Readonly<Record<Verdict['kind'], number>>
  /** The case that stopped it, as it was found. */
  readonly found: { readonly example: Case; readonly problem: string } | undefined
}

/** Goes on until `isEnough` says so, asked after each case with the number of those tried. */
export const run = async (
  level: Level,
  seed: number,
  isEnough: (tried: number) => boolean,
): Promise<Tally> => {
  const random = createRandom(seed)
  const counts = { both: 0, stricter: 0, neither: 0, disagreement: 0 }
  for (let tried = 1; ; tried += 1) {
    const example = level.generate(random)
    // Most levels answer at once, and a promise for each of their cases would cost more than the case.
    const judged = judge(level, example)
    const verdict = judged instanceof Promise ? await judged.catch(crashed) : judged
    counts[verdict.kind] += 1
    if (verdict.kind === 'disagreement') {
      return { counts, found: { example, problem: verdict.problem } }
    }
    if (isEnough(tried)) return { counts, found: undefined }
  }
}

/** What throws is no verdict of anybody's: it is a find. */
export const judge = (level: Level, example: Case): Verdict | Promise<Verdict> => {
  try {
    return level.judge(example)
  } catch (error) {
    return crashed(error)
  }
}

export const crashed = (error: unknown): Verdict => ({
  kind: 'disagreement',
  problem: error instanceof Error ? (error.stack ?? error.message) : String(error),
})
