/**
 * The way to a client and back, as exchanges and tunnels see it: the socket of an HTTP/1 connection, or one
 * stream of an HTTP/2 connection.
 */

export interface ClientWay {
  /** The client has ended: nothing is to come but what is kept. */
  readonly halfClosed: boolean
  /** A write said so, and the client has not taken all of it since. */
  readonly congested: boolean
  /** Latin-1 text. False when the client is congested: somebody hears of it when it is no more. */
  write(text: string): boolean
  /** Bytes of a read that is being delivered now. */
  forward(buffer: Buffer, from: number, to: number): boolean
  /** Ends our direction after what is queued. */
  end(): void
  /** Replaces the deadline that runs. */
  arm(afterMs: number): void
  disarm(): void
  /** Keeps a copy of bytes that nobody can take now. When there are many, no more come. */
  keep(buffer: Buffer, from: number, to: number): void
  takeKept(): Buffer
  /** While blocked, nothing comes: whoever would get it cannot take it. */
  blockReading(blocked: boolean): void
}
