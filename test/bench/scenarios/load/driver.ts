/** What drives one plan. One file each beside this one. */
import type { Book, Judge } from './book.ts'

export interface Driver {
  /** Lets every open question be answered, within `STOP_MS_MAX`, and closes everything. */
  readonly stop: () => Promise<void>
}

export interface DriverParts {
  readonly judge: Judge
  readonly book: Book
}

/** A question that is still open so long after the end is an error. */
export const STOP_MS_MAX = 5_000
/** After a failure, before the next try. */
export const RETRY_MS = 20

/** The port that the connection of this number goes to. */
export const portFor = (ports: readonly number[], index: number): number => {
  const port = ports[index % ports.length]
  if (port === undefined) throw new Error('a plan has at least one port')
  return port
}
