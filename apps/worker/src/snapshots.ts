/**
 * Keeps the log short to start from: a snapshot every thousand events or every hour, and the history
 * before it only as far back as people look. Several workers may do it at once: the log takes only a
 * newer snapshot, and trims nothing that the newest one does not cover.
 */
import { writeSnapshot, type EventLog, type Position, type Replica } from '@gatehouse/events'
import type { Logger } from 'pino'

export interface SnapshotKeeper {
  /** Called whenever the replica moved, and now and then; saves when it is time. */
  readonly look: () => void
}

export interface SnapshotOptions {
  readonly log: EventLog
  readonly replica: Replica
  /** The position of the snapshot that is there; 0 when there is none. */
  readonly covered: Position
  /** Nothing is saved while the history in Redis is another one: it would replace a good snapshot. */
  readonly isTrusted: () => boolean
  readonly logger: Logger
  readonly every?: number
  readonly historyKept?: number
}

export const SNAPSHOT_EVERY = 1_000
const SNAPSHOT_EVERY_MS = 3_600_000

/** Events that stay readable for `history`, however many snapshots there are. */
export const HISTORY_KEPT = 100_000

export const createSnapshotKeeper = (options: SnapshotOptions): SnapshotKeeper => {
  const { replica, isTrusted, logger, every = SNAPSHOT_EVERY } = options
  let coveredPosition = options.covered
  let savedAtMs = performance.now()
  let busy = false

  const isDue = (): boolean => {
    const news = replica.place.position - coveredPosition
    return news >= every || (news > 0 && performance.now() - savedAtMs >= SNAPSHOT_EVERY_MS)
  }

  const save = async (): Promise<void> => {
    const { position } = replica.place
    try {
      const { trimmed, newest } = await saveAndTrim(options)
      coveredPosition = position
      savedAtMs = performance.now()
      if (newest) logger.info({ position, trimmed }, 'saved a snapshot')
    } catch (error) {
      logger.warn({ err: error }, 'no snapshot was saved; the next look tries again')
    } finally {
      busy = false
    }
  }

  return {
    look: () => {
      if (busy || !isTrusted() || !isDue()) return
      busy = true
      // It never rejects; what is not saved when the worker leaves, another one saves.
      void save()
    },
  }
}

const saveAndTrim = async ({
  log,
  replica,
  historyKept = HISTORY_KEPT,
}: SnapshotOptions): Promise<{ readonly newest: boolean; readonly trimmed: number }> => {
  const { origin, quarantine, table } = replica
  const snapshot = writeSnapshot(replica.place, { origin, gateway: table.gateway, quarantine })
  const newest = await log.saveSnapshot(snapshot)
  if (!newest) return { newest, trimmed: 0 }
  const { position: head } = await log.head()
  // The log keeps by itself what no snapshot covers.
  return { newest, trimmed: await log.trim(Math.max(1, head - historyKept)) }
}
