/** What became of every question: exact counts, and the distribution of how long it took. */
import { createHistogram } from 'node:perf_hooks'
import type { BookReport } from './plan.ts'

/** Which answers are good, and when. */
export interface Judge {
  /** The moment, as `accepts` wants it. */
  readonly moment: () => number
  readonly expect: (answers: readonly string[]) => void
  /** Whether the answer was good at any moment since. */
  readonly accepts: (answer: string, since: number) => boolean
  /** What would have been good, in words. */
  readonly wanted: (since: number) => string
}

export const createJudge = (): Judge => {
  const expectations: ReadonlySet<string>[] = [new Set()]
  const since = (moment: number): readonly ReadonlySet<string>[] => expectations.slice(moment)
  return {
    moment: () => expectations.length - 1,
    expect: (answers) => void expectations.push(new Set(answers)),
    accepts: (answer, moment) =>
      expectations.at(-1)?.has(answer) === true ||
      since(moment).some((expectation) => expectation.has(answer)),
    wanted: (moment) =>
      [...new Set(since(moment).flatMap((expectation) => [...expectation]))].join(' or '),
  }
}

export interface Book {
  /**
   * An answer, asked for at a moment of the judge. Without a latency it is counted only; the details are
   * told when it was not a good one.
   */
  readonly answered: (answer: string, moment: number, latencyMs?: number, details?: string) => void
  readonly failed: (sentence: string) => void
  /** Its clock runs between these two. */
  readonly begin: () => void
  readonly end: () => void
  readonly report: () => BookReport
}

const ERRORS_TOLD_MAX = 5
/** In microseconds: what is quicker or slower than this is counted as this. */
const LATENCY = { lowest: 1, highest: 600_000_000, figures: 3 } as const

export const createBook = (judge: Judge): Book => {
  const answers = new Map<string, number>()
  const firstErrors: string[] = []
  const histogram = createHistogram(LATENCY)
  let good = 0
  let goodInTime = 0
  let errors = 0
  let ranMs = 0
  let begunAt: number | undefined
  const failed = (sentence: string): void => {
    errors += 1
    if (firstErrors.length < ERRORS_TOLD_MAX) firstErrors.push(sentence)
  }
  const soFarMs = (): number => (begunAt === undefined ? 0 : performance.now() - begunAt)
  const percentileMs = (percent: number): number =>
    histogram.count === 0 ? 0 : histogram.percentile(percent) / 1_000
  return {
    answered: (answer, moment, latencyMs, details = '') => {
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
      if (latencyMs !== undefined) {
        const microseconds = Math.round(latencyMs * 1_000)
        histogram.record(Math.min(Math.max(microseconds, LATENCY.lowest), LATENCY.highest))
      }
      if (judge.accepts(answer, moment)) {
        good += 1
        if (begunAt !== undefined) goodInTime += 1
      } else
        failed(`${answer} when only ${judge.wanted(moment)} was good${details && `: ${details}`}`)
    },
    failed,
    begin: () => (begunAt ??= performance.now()),
    end: () => {
      ranMs += soFarMs()
      begunAt = undefined
    },
    report: () => ({
      answers: Object.fromEntries(answers),
      good,
      errors,
      firstErrors,
      seconds: (ranMs + soFarMs()) / 1_000,
      perSecond: (goodInTime * 1_000) / Math.max(1, ranMs + soFarMs()),
      latencyMs: {
        p50: percentileMs(50),
        p95: percentileMs(95),
        p99: percentileMs(99),
        max: percentileMs(100),
      },
    }),
  }
}
