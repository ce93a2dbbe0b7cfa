/** A folded copy of the log's state, and how it is brought forward. */
import { emptyTable, project, tableOf, type RouteTable } from '@gatehouse/domain'
import { placeAfter } from './entries.ts'
import { BEGINNING, HistoryChanged, type EventLog, type Place, type Recorded } from './log.ts'
import { EMPTY_QUARANTINE, withQuarantined, type Quarantine } from './quarantine.ts'
import { readSnapshot, type SnapshotState } from './snapshot.ts'
import { createTableHash, type TableHash } from './table-hash.ts'

export interface Replica {
  /** `table.gateway` is the state that commands are decided against. */
  readonly table: RouteTable
  readonly tableHash: TableHash
  place: Place
  quarantine: Quarantine
}

export const emptyReplica = (): Replica => replicaOf(BEGINNING, emptyTable(), EMPTY_QUARANTINE)

export const replicaOfSnapshot = (place: Place, state: SnapshotState): Replica =>
  replicaOf(place, tableOf(state.gateway), state.quarantine)

const replicaOf = (place: Place, table: RouteTable, quarantine: Quarantine): Replica => ({
  table,
  tableHash: createTableHash(table),
  place,
  quarantine,
})

/**
 * The newest state: from the snapshot and what came after it, or from the first entry when there is no
 * snapshot that can be read. Throws `HistoryChanged` when neither leads anywhere.
 */
export const openReplica = async (log: EventLog): Promise<Replica> => {
  const snapshot = await log.snapshot()
  if (snapshot !== undefined) {
    const read = readSnapshot(snapshot)
    if (read.kind === 'state') {
      try {
        const replica = replicaOfSnapshot(read.place, read)
        await catchUp(log, replica)
        return replica
      } catch (error) {
        if (!(error instanceof HistoryChanged)) throw error
        // The snapshot is of another history. If the log is whole, it is what counts.
      }
    }
  }
  const replica = emptyReplica()
  await catchUp(log, replica)
  return replica
}

/** Applies everything that is new in the log, and returns it. Throws `HistoryChanged`. */
export const catchUp = async (log: EventLog, replica: Replica): Promise<readonly Recorded[]> => {
  const news: Recorded[] = []
  for await (const page of log.read(replica.place)) {
    for (const recorded of page) {
      apply(replica, recorded)
      news.push(recorded)
    }
  }
  return news
}

/** Applies one entry, which must be the next. Returns the services whose routes may differ. */
export const apply = (replica: Replica, recorded: Recorded): readonly string[] => {
  replica.place = placeAfter(replica.place, recorded)
  if (recorded.kind === 'quarantined') {
    replica.quarantine = withQuarantined(replica.quarantine, recorded)
    return []
  }
  const touched = project(replica.table, recorded.event)
  for (const service of touched) replica.tableHash.touch(service)
  return touched
}
