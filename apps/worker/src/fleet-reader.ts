/**
 * What the drains of this worker ask the fleet, in one question: a thousand drains that end together
 * read the presence of the proxies twenty times a second, not ten thousand.
 */
import type { FleetView } from './drain-verdict.ts'

/** How old an answer may be. Counts only fall once a drain is applied, so old ones err on the safe side. */
const FRESH_MS = 50

export const shareReads = (read: () => Promise<FleetView>): (() => Promise<FleetView>) => {
  let last: { readonly atMs: number; readonly answer: Promise<FleetView> } | undefined
  return () => {
    const nowMs = performance.now()
    if (last === undefined || nowMs - last.atMs > FRESH_MS) {
      const answer = read()
      last = { atMs: nowMs, answer }
      // A failure is told to those who asked for this answer, and the next one asks anew.
      answer.catch(() => (last = undefined))
    }
    return last.answer
  }
}
