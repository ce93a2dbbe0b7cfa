/** Waiting for a condition: looked at again whenever there is news, and from time to time anyway. */
import { setTimeout as wait } from 'node:timers/promises'

export interface News {
  /** Something may have changed. */
  readonly tell: () => void
  /** Resolves at the next `tell`. */
  readonly next: () => Promise<void>
}

export const createNews = (): News => {
  let waiting = Promise.withResolvers<void>()
  return {
    tell: () => {
      waiting.resolve()
      waiting = Promise.withResolvers<void>()
    },
    next: () => waiting.promise,
  }
}

export interface UntilOptions {
  /** On the clock of `performance.now()`. */
  readonly deadline: number
  readonly everyMs: number
  readonly news: News
  readonly signal: AbortSignal
}

/**
 * Looks until `look` answers with a value, and returns it; undefined when the deadline came first.
 * Throws the signal's reason when it is aborted, and whatever `look` throws.
 */
export const until = async <Value>(
  look: () => Promise<Value | undefined> | Value | undefined,
  { deadline, everyMs, news, signal }: UntilOptions,
): Promise<Value | undefined> => {
  for (;;) {
    signal.throwIfAborted()
    // Asked for before looking, so that news during the look is not slept over.
    const next = news.next()
    const value = await look()
    if (value !== undefined) return value
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) return undefined
    const timer = new AbortController()
    const stop = AbortSignal.any([signal, timer.signal])
    const pause = wait(Math.min(everyMs, leftMs), undefined, { signal: stop }).catch(() => {})
    await Promise.race([next, pause])
    timer.abort()
    await pause
  }
}
