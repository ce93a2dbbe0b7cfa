/** What happened: the newest entries of the log that somebody asks for. */
import {
  BEGINNING,
  type EventLog,
  type Place,
  type Position,
  type Recorded,
} from '@gatehouse/events'

const WINDOW_ENTRIES = 1_000
/** Looking for the events of one service ends after so many entries; older ones are not shown. */
const SEARCHED_MAX = 1_000_000
/** How far back an entry of the chain is looked for. */
const CHAIN_ENTRIES = 100
const SHOWN_SINCE_MAX = 10

export interface HappenedOptions {
  readonly limit: number
  readonly matches: (recorded: Recorded) => boolean
}

/** The newest entries that match, oldest first. The log is read backwards, in windows. */
export const newest = async (
  log: EventLog,
  { limit, matches }: HappenedOptions,
): Promise<readonly Recorded[]> => {
  const { position: head } = await log.head()
  let found: readonly Recorded[] = []
  for (let last = head; last > 0 && found.length < limit; last -= WINDOW_ENTRIES) {
    if (head - last >= SEARCHED_MAX) break
    const window = await log.range(Math.max(1, last - WINDOW_ENTRIES + 1), last)
    // What lies before the first entry that is there was trimmed away.
    if (window.length === 0) break
    found = [...window.filter(matches), ...found]
  }
  return found.slice(-limit)
}

/** The place just before a position; undefined when what lies there was trimmed away. */
export const placeBefore = async (
  log: EventLog,
  position: Position,
): Promise<Place | undefined> => {
  if (position <= 1) return BEGINNING
  const before = await log.range(Math.max(1, position - CHAIN_ENTRIES), position - 1)
  // An entry that somebody wrote by hand has no hash: the chain goes on from before it.
  const chained = before.findLast(({ hash }) => hash !== '')
  if (chained === undefined) return undefined
  return { position: before.at(-1)?.position ?? chained.position, hash: chained.hash }
}

/** The last `count` events about a service, oldest first, at most ten. */
export const eventsSince = (
  log: EventLog,
  service: string,
  count: number,
): Promise<readonly Recorded[]> =>
  count <= 0
    ? Promise.resolve([])
    : newest(log, { limit: Math.min(count, SHOWN_SINCE_MAX), matches: isAbout(service) })

/** Whether an entry is about a service or its certificate; every entry is, when none is named. */
export const isAbout =
  (service: string | undefined) =>
  (recorded: Recorded): boolean => {
    if (service === undefined) return true
    if (recorded.kind === 'quarantined') return false
    const { event } = recorded
    if ('certificate' in event) return event.certificate === service
    return (
      event.service === service ||
      (event.type === 'ReleaseActivated' &&
        event.takenOver.some((loser) => loser.service === service))
    )
  }
