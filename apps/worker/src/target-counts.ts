/**
 * How often in a row each target has passed or failed, and what follows from it. A count stops at the
 * number that matters, so that a target in a steady state changes nothing and writes nothing.
 */
import type { HealthCheck } from '@gatehouse/domain'
import { z } from 'zod'

/** By target URL: a positive number of passes in a row, or a negative one of failures. */
export type TargetCounts = z.infer<typeof targetCounts>

export const targetCounts = z.record(z.string(), z.int())

type Thresholds = Pick<HealthCheck, 'rise' | 'fall'>

/** The count after one more attempt. */
export const countAttempt = (
  before: number,
  passed: boolean,
  { rise, fall }: Thresholds,
): number =>
  passed ? Math.min(Math.max(before, 0) + 1, rise) : Math.max(Math.min(before, 0) - 1, -fall)

/** Which way a target crosses, if it does: one that takes requests falls, an ejected one rises. */
export const crossingOf = (
  count: number,
  ejected: boolean,
  { rise, fall }: Thresholds,
): 'up' | 'down' | undefined => {
  if (ejected) return count >= rise ? 'up' : undefined
  return count <= -fall ? 'down' : undefined
}
