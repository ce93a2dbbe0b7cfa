/**
 * Whether a client keeps up while it sends a body: after a grace it must have sent so many bytes for
 * every second in which we read. There is no bound on the whole, so that a large upload over a slow
 * line ends well, while one byte every now and then does not hold a target for ever.
 */

export interface PaceLimits {
  /** From the first bytes of a body; it is never taken back. */
  readonly requestPaceGraceMs: number
  /** 0: any pace will do. */
  readonly requestBytesPerSecondMin: number
}

/** Every time is in milliseconds of one clock that never goes back. */
export class Pace {
  readonly #limits: PaceLimits
  /** What has come so far is enough until then; 0 before anything has come. */
  #enoughUntilMs = 0
  /** Since when we do not read; 0 while we do. */
  #haltedSinceMs = 0

  constructor(limits: PaceLimits) {
    this.#limits = limits
  }

  begin(): void {
    this.#enoughUntilMs = 0
    this.#haltedSinceMs = 0
  }

  took(bytes: number, nowMs: number): void {
    const { requestPaceGraceMs, requestBytesPerSecondMin } = this.#limits
    if (this.#enoughUntilMs === 0) this.#enoughUntilMs = nowMs + requestPaceGraceMs
    this.#enoughUntilMs += (bytes * 1_000) / requestBytesPerSecondMin
  }

  tooSlow(nowMs: number): boolean {
    return nowMs > this.#enoughUntilMs && this.#enoughUntilMs > 0
  }

  /** Nothing is read for now, which is not the client's fault. */
  halt(nowMs: number): void {
    if (this.#haltedSinceMs === 0) this.#haltedSinceMs = nowMs
  }

  goOn(nowMs: number): void {
    if (this.#haltedSinceMs === 0) return
    if (this.#enoughUntilMs > 0) this.#enoughUntilMs += nowMs - this.#haltedSinceMs
    this.#haltedSinceMs = 0
  }
}
