/** The connection, as the parts see it that read its frames. */

export interface Control {
  /** False as soon as it is over: then nothing that came is understood any more. */
  readonly reading: boolean
  /** Ends it (RFC 9113 §5.4.1): GOAWAY with this code, and a few words for whoever debugs the client. */
  leave(code: number, about: string): void
  /** Counts what is worth nothing, and ends the connection when it is too much. */
  glitch(weight: number): void
  /** Counts a frame that may be an honest answer to one of ours: only what is more than that counts. */
  spend(): void
  /** The last stream has ended. */
  onNoStreams(): void
}
