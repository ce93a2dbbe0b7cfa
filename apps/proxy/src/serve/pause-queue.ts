/**
 * Requests that wait while their service is paused, in the order they came. They hold no target and
 * count for no release: each is read anew when it is let go, and meets the routes of that moment.
 */

export interface Held {
  /** The service is not paused any more. */
  readmit(): void
}

export class PauseQueue {
  readonly #held = new Set<Held>()
  readonly #heldMax: number

  constructor(heldMax: number) {
    this.#heldMax = heldMax
  }

  get size(): number {
    return this.#held.size
  }

  /** False when too many wait already. */
  enter(request: Held): boolean {
    if (this.#held.size >= this.#heldMax) return false
    this.#held.add(request)
    return true
  }

  leave(request: Held): void {
    this.#held.delete(request)
  }

  readmitAll(): void {
    const held = [...this.#held]
    this.#held.clear()
    for (const request of held) request.readmit()
  }
}
