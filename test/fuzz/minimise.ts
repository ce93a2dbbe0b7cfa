/** Cuts a case down for as long as it stays one: what is left is what matters. */
import type { Case, Level } from './case.ts'
import { crashed, judge } from './run.ts'

/** Judged so often at most; a case over sockets takes milliseconds. */
const TRIES_MAX = 5_000

export const minimise = async (level: Level, example: Case): Promise<Case> => {
  let tries = 0
  let best = example
  const isStillOne = async (candidate: Case): Promise<boolean> => {
    tries += 1
    if (tries > TRIES_MAX) return false
    const { kind } = await Promise.resolve(judge(level, candidate)).catch(crashed)
    return kind === 'disagreement'
  }
  const tryTo = async (candidate: Case): Promise<boolean> => {
    if (!(await isStillOne(candidate))) return false
    best = candidate
    return true
  }

  /** Takes spans out of a text, long ones first. */
  const shorten = async (read: (from: Case) => string, write: (text: string) => Case) => {
    for (let span = read(best).length; span >= 1; span = Math.floor(span / 2)) {
      for (let at = 0; at < read(best).length;) {
        const text = read(best)
        const shorter = text.slice(0, at) + text.slice(at + span)
        if (!(await tryTo(write(shorter)))) at += span
      }
    }
  }

  for (let before = -1; before !== sizeOf(best);) {
    before = sizeOf(best)
    await tryTo({ ...best, pieceBytes: 0 })
    await tryTo({ ...best, cuts: [] })
    await tryTo({ ...best, early: false })
    for (const cut of best.cuts)
      await tryTo({ ...best, cuts: best.cuts.filter((each) => each !== cut) })
    for (let index = best.answers.length - 1; index >= 0 && best.answers.length > 1; index -= 1) {
      await tryTo({ ...best, answers: best.answers.toSpliced(index, 1) })
    }
    await shorten(
      ({ input }) => input,
      (input) => ({ ...best, input }),
    )
    for (const index of best.answers.keys()) {
      await shorten(
        ({ answers }) => answers[index] ?? '',
        (text) => ({ ...best, answers: best.answers.with(index, text) }),
      )
    }
  }
  return best
}

/** What a person pastes into regressions.ts. */
export const asRegression = (
  { level, input, cuts, answers, pieceBytes, early }: Case,
  seed: number,
): string =>
  [
    '  {',
    `    name: 'seed ${seed}: say here what it is about',`,
    `    level: '${level}',`,
    `    input: ${literal(input)},`,
    `    cuts: [${cuts.join(', ')}],`,
    `    answers: [${answers.map(literal).join(', ')}],`,
    `    pieceBytes: ${pieceBytes},`,
    `    early: ${early},`,
    '  },',
  ].join('\n')

const sizeOf = ({ input, cuts, answers, pieceBytes, early }: Case): number =>
  input.length + cuts.length + answers.join().length + pieceBytes + Number(early)

/** JSON is a string literal of ours too, but for the quotes that the formatter wants. */
const literal = (text: string): string => JSON.stringify(text)
