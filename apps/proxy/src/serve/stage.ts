/**
 * Who has a client's connection at the moment, and hears what its client does. One follows the other:
 * heads are read, a request is held or exchanged, an upgrade makes something else of it, it is closed.
 */
export interface Stage {
  /** A request, or what became of one, is under way. */
  readonly busy: boolean
  onClientData(buffer: Buffer, length: number): void
  onClientDrain(): void
  /** FIN: nothing is to come but what is kept. */
  onClientEnd(): void
  onClientClose(): void
  /** The deadline that was armed last has passed. */
  onDeadline(): void
  /** There is no time left: end now. */
  cut(): void
}

/** For a connection that is gone, or about to be. */
export const GONE: Stage = {
  busy: false,
  onClientData: () => {},
  onClientDrain: () => {},
  onClientEnd: () => {},
  onClientClose: () => {},
  onDeadline: () => {},
  cut: () => {},
}
