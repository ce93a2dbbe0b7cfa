/** Waits for a condition with a bound: the tests' only way to wait. */
import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 20

/**
 * Asks until the answer is neither undefined nor false, and returns it. An answer that throws counts
 * as "not yet", and is the cause of the error when the time is over.
 */
export const eventually = async <Answer>(
  what: string,
  ask: () => Answer | Promise<Answer>,
  boundMs = 5_000,
): Promise<Exclude<Answer, undefined | false>> => {
  const end = performance.now() + boundMs
  let cause: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (isThere(answer)) return answer
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > end) throw new Error(`Not within ${boundMs} ms: ${what}`, { cause })
    await delay(POLL_MS)
  }
}

const isThere = <Answer>(answer: Answer): answer is Exclude<Answer, undefined | false> =>
  answer !== undefined && answer !== false
