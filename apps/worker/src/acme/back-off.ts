/**
 * When an order that has failed is tried again: pauses that double from a minute to half a day, spread so
 * that orders which failed together do not come back together, and never before the CA wants to be asked.
 */
import type { AcmeFailure } from './problem.ts'
import { AcmeRefusal } from './problem.ts'

const FIRST_PAUSE_MS = 60_000
const PAUSE_MS_MAX = 12 * 3_600_000
/** A pause is longer by up to this part of it. */
const SPREAD = 0.25
/** What a CA may ask for: its longest limits are counted by the week. */
const RETRY_AFTER_MS_MAX = 7 * 86_400_000

/** Refusals that another attempt at the same names would only meet again (RFC 8555 §6.7). */
const FINAL = ['rejectedIdentifier', 'unsupportedIdentifier']

/**
 * Milliseconds until the next attempt after `attempts` failed ones; undefined when there should be none.
 * `random` from 0 to 1.
 */
export const pauseAfter = (
  failure: AcmeFailure,
  attempts: number,
  random: number,
): number | undefined => {
  if (failure instanceof AcmeRefusal && FINAL.includes(failure.type)) return undefined
  const doubled = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), PAUSE_MS_MAX)
  const own = doubled * (1 + SPREAD * random)
  return Math.round(Math.max(own, Math.min(failure.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX)))
}
