/** What could not be read of the log: counted for ever, the newest kept to be looked at. */
import type { Position, Recorded } from './log.ts'

export interface Quarantine {
  readonly total: number
  readonly newest: readonly QuarantinedEntry[]
}

export interface QuarantinedEntry {
  readonly position: Position
  readonly at: number
  readonly type: string
  readonly why: string
}

export const NEWEST_MAX = 100
export const EMPTY_QUARANTINE: Quarantine = { total: 0, newest: [] }

export const withQuarantined = (
  { total, newest }: Quarantine,
  { position, at, type, why }: Extract<Recorded, { kind: 'quarantined' }>,
): Quarantine => ({
  total: total + 1,
  newest: [...newest.slice(1 - NEWEST_MAX), { position, at, type, why }],
})
