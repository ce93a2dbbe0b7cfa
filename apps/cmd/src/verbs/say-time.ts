/** Points in time, as people and documents read them. */

/** UTC, to the millisecond, and readable. */
export const sayTime = (atMs: number): string => isoTime(atMs).replace('T', ' ')

/** What was written by hand may carry no time at all. */
export const isoTime = (atMs: number): string =>
  Number.isFinite(atMs) ? new Date(atMs).toISOString() : 'unknown'
