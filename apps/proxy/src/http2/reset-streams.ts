/**
 * Streams that we have reset while their client was still sending: what it sent before it knew is no error
 * (RFC 9113 §5.1). Only the newest are remembered; a client that has not heard of so many is no client.
 */

const REMEMBERED_MAX = 1_000

export class ResetStreams {
  /** Oldest first. */
  readonly #ids = new Set<number>()

  add(id: number): void {
    this.#ids.add(id)
    if (this.#ids.size <= REMEMBERED_MAX) return
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest)
      return
    }
  }

  has(id: number): boolean {
    return this.#ids.has(id)
  }
}
