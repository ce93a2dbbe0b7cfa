/**
 * Says every second, and whenever something changed, where this proxy is and what it holds. One word is
 * under way at a time: a slow Redis gets the newest state late rather than every state.
 */
import { BEAT_MS, type PresenceWriter, type ProxyPresence } from '@gatehouse/events'
import type { Logger } from 'pino'
import type { FleetClock } from './clock.ts'

export interface Heartbeat {
  /** Say it now; or right after what is under way. */
  readonly beat: () => void
  /** When Redis last heard us, by our own clock; undefined before the first time. */
  readonly heardAt: () => number | undefined
  readonly stop: () => Promise<void>
}

/** A proxy that leaves does not wait longer than this to say so. */
const LEAVE_MS_MAX = 1_000

export const startHeartbeat = (
  writer: PresenceWriter,
  presence: () => ProxyPresence,
  clock: FleetClock,
  logger: Logger,
): Heartbeat => {
  let underWay = false
  let again = false
  let stopped = false
  let heardAt: number | undefined

  const beat = (): void => {
    if (stopped) return
    if (underWay) {
      again = true
      return
    }
    underWay = true
    writer
      .beat(presence())
      .then((offsetMs) => {
        clock.learn(offsetMs)
        heardAt = Date.now()
      })
      .catch((error: unknown) => logger.debug({ error }, 'a beat was not heard'))
      .finally(() => {
        underWay = false
        if (!again) return
        again = false
        beat()
      })
      // Nothing above throws: each step's failure is handled by the next.
      .catch(() => undefined)
  }

  const timer = setInterval(beat, BEAT_MS)
  beat()
  return {
    beat,
    heardAt: () => heardAt,
    stop: async () => {
      stopped = true
      clearInterval(timer)
      const bound = new Promise((resolve) => setTimeout(resolve, LEAVE_MS_MAX).unref())
      await Promise.race([writer.leave().catch(() => undefined), bound])
    },
  }
}
