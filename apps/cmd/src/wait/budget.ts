/**
 * How long a command may wait. The user gives one time for everything that only takes long when
 * something is wrong; what the release itself may take (its health gate, its drain) comes on top.
 */

export interface Budget {
  /** The moment at which a phase has to be over that may itself take `allowedMs` from now. */
  readonly deadlineAfter: (allowedMs: number) => number
  /** Ends a phase that began at `startedAt` and was allowed `allowedMs`: what it took beyond is spent. */
  readonly spend: (startedAt: number, allowedMs: number) => void
}

/** `now` is a clock in milliseconds that never goes back. */
export const createBudget = (totalMs: number, now: () => number): Budget => {
  let leftMs = totalMs
  return {
    deadlineAfter: (allowedMs) => now() + allowedMs + leftMs,
    spend: (startedAt, allowedMs) => {
      leftMs = Math.max(0, leftMs - Math.max(0, now() - startedAt - allowedMs))
    },
  }
}
