/** Asking again until the CA has made up its mind, with pauses that grow and a bound. */
import { setTimeout as wait } from 'node:timers/promises'
import { AcmeFailure, AcmeRefusal, AcmeUnreachable } from './problem.ts'

const FIRST_PAUSE_MS = 100
const PAUSE_MS_MAX = 5_000
const PAUSE_GROWTH = 1.5

/** Throws `AcmeFailure` when the answer is undefined for longer than the bound, and what `ask` throws. */
export const poll = async <Answer>(
  what: string,
  boundMs: number,
  signal: AbortSignal,
  ask: () => Promise<Answer | undefined>,
): Promise<Answer> => {
  const endMs = performance.now() + boundMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * PAUSE_GROWTH, PAUSE_MS_MAX)) {
    const { answer, trouble } = await tryOnce(ask, signal)
    if (answer !== undefined) return answer
    if (performance.now() + pauseMs > endMs) {
      throw trouble ?? new AcmeFailure(`${what} took the CA longer than ${boundMs / 1_000} s`)
    }
    await wait(pauseMs, undefined, { signal })
  }
}

/** A CA that stumbles over a question about something that goes on is asked again. */
const tryOnce = async <Answer>(
  ask: () => Promise<Answer | undefined>,
  signal: AbortSignal,
): Promise<{ readonly answer?: Answer | undefined; readonly trouble?: AcmeFailure }> => {
  try {
    return { answer: await ask() }
  } catch (error) {
    const passes =
      error instanceof AcmeUnreachable || (error instanceof AcmeRefusal && error.status >= 500)
    if (!passes || signal.aborted) throw error
    return { trouble: error }
  }
}
