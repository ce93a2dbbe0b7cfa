/**
 * How much nonsense a client may cost us: what an honest one does now and then, and an attack does without
 * end. It is a bucket that leaks, so that a connection of many days is not judged by the sum of them.
 */

/** What a frame counts that is worth nothing to anybody. */
export const SMALL_GLITCH = 1
/** A request that was begun for nothing: reset before its answer, refused, or malformed. */
export const WASTED_REQUEST = 5

/** Of small ones, at once; a browser that leaves a page resets a hundred requests. */
export const GLITCHES_MAX = 1_000
const FORGIVEN_PER_SECOND = 100

export class Glitches {
  #count = 0
  #countedAtMs = 0

  /** False when it is too much. `nowMs` is of a clock that never goes back. */
  add(glitches: number, nowMs: number): boolean {
    const forgiven = ((nowMs - this.#countedAtMs) * FORGIVEN_PER_SECOND) / 1_000
    this.#count = Math.max(0, this.#count - forgiven) + glitches
    this.#countedAtMs = nowMs
    return this.#count <= GLITCHES_MAX
  }
}
