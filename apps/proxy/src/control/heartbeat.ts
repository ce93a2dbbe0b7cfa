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
  /** What Redis said to the newest beat, when it refused it. */
  readonly refused: () => string | undefined
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
  let refused: string | undefined

  const isWanted = (): boolean => again && !stopped

  const say = async (): Promise<void> => {
    underWay = true
    do {
      again = false
      try {
        clock.learn(await writer.beat(presence()))
        heardAt = Date.now()
        refused = undefined
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        if (why !== refused) logger.warn(`the fleet does not hear this proxy: ${why}`)
        refused = why
      }
    } while (isWanted())
    underWay = false
  }

  const beat = (): void => {
    if (stopped) return
    if (underWay) again = true
    else void say()
  }

  const timer = setInterval(beat, BEAT_MS)
  beat()
  return {
    beat,
    heardAt: () => heardAt,
    refused: () => refused,
    stop: async () => {
      stopped = true
      clearInterval(timer)
      const bound = new Promise((resolve) => setTimeout(resolve, LEAVE_MS_MAX).unref())
      await Promise.race([writer.leave().catch(() => undefined), bound])
    },
  }
}
