/** Keeps this worker on the fleet's list, and knows from that how long Redis has been there. */
import { setTimeout as wait } from 'node:timers/promises'
import { BEAT_MS, LEASE_MS, type WorkerPresence } from '@gatehouse/events'

export interface KeptPresence extends AsyncDisposable {
  /** True once Redis has answered every beat for a whole lease. */
  readonly isSettled: () => boolean
}

export interface PresenceOptions {
  readonly presence: {
    readonly beat: (presence: WorkerPresence) => Promise<unknown>
    readonly leave: () => Promise<void>
  }
  /** What to say of this worker, each time. */
  readonly describe: () => WorkerPresence
  readonly onTrouble: (error: Error) => void
}

/** Two beats that lie further apart than this had an outage between them, ours or Redis'. */
const GAP_MS = 2.5 * BEAT_MS
const LEAVE_WITHIN_MS = 1_000

export const keepPresence = ({ presence, describe, onTrouble }: PresenceOptions): KeptPresence => {
  const stop = new AbortController()
  let steadySinceMs = performance.now()
  let lastBeatMs = steadySinceMs
  const beatOn = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await presence.beat(describe())
        const nowMs = performance.now()
        if (nowMs - lastBeatMs > GAP_MS) steadySinceMs = nowMs
        lastBeatMs = nowMs
      } catch (error) {
        onTrouble(toError(error))
      }
      await wait(BEAT_MS, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const ended = beatOn()
  return {
    isSettled: () => {
      const nowMs = performance.now()
      return nowMs - lastBeatMs <= GAP_MS && nowMs - steadySinceMs >= LEASE_MS
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      const left = ended.then(() => presence.leave())
      // Without Redis there is nobody to say good-bye to; the lease ends by itself.
      await Promise.race([
        left.catch(() => undefined),
        wait(LEAVE_WITHIN_MS, undefined, { ref: false }),
      ])
    },
  }
}

const toError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error), { cause: error })
