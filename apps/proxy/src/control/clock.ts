/**
 * What time it is at Redis. Receipts of many machines are compared, so each states its moments on the
 * one clock that all of them reach; the offset to it is learned from every answer to a beat.
 */
export interface FleetClock {
  /** Milliseconds since 1970, as Redis would say now. */
  readonly now: () => number
  readonly learn: (offsetMs: number) => void
}

export const createFleetClock = (localNow: () => number): FleetClock => {
  let offsetMs = 0
  return {
    now: () => localNow() + offsetMs,
    learn: (learned) => {
      offsetMs = learned
    },
  }
}
