/** A folded copy of the log's state, and how it is brought forward. */
import { certificateOf, emptyTable, project, tableOf, type RouteTable } from '@gatehouse/domain'
import { placeAfter } from './entries.ts'
import {
  BEGINNING,
  HistoryChanged,
  type EventLog,
  type Place,
  type Recorded,
  type Snapshot,
} from './log.ts'
import { EMPTY_QUARANTINE, withQuarantined, type Quarantine } from './quarantine.ts'
import { readSnapshot, type SnapshotState } from './snapshot.ts'
import { createTableHash, type TableHash } from './table-hash.ts'

export interface Replica {
  /** `table.gateway` is the state that commands are decided against. */
  readonly table: RouteTable
  readonly tableHash: TableHash
  /** The hash of the first entry of the log, which no two logs share; empty before there is one. */
  origin: string
  place: Place
  quarantine: Quarantine
}

export const emptyReplica = (): Replica => replicaOf(BEGINNING, emptyTable(), '', EMPTY_QUARANTINE)

export const replicaOfSnapshot = (
  place: Place,
  { gateway, origin, quarantine }: SnapshotState,
): Replica => replicaOf(place, tableOf(gateway), origin, quarantine)

const replicaOf = (
  place: Place,
  table: RouteTable,
  origin: string,
  quarantine: Quarantine,
): Replica => ({
  table,
  tableHash: createTableHash(table),
  origin,
  place,
  quarantine,
})

/** Somebody who keeps what a replica is made of, as it is read. */
export interface Keeper {
  /** Everything so far is in the snapshot; there is none when the log is read from its beginning. */
  readonly rebase: (snapshot: Snapshot | undefined) => Promise<void>
  readonly keep: (entries: readonly Recorded[]) => void
}

/**
 * The newest state: from the snapshot and what came after it, or from the first entry when there is no
 * snapshot that can be read. Throws `HistoryChanged` when neither leads anywhere, or when they are of
 * another log than that of `origin`, if it is given: then nothing of it is kept either.
 */
export const openReplica = async (
  log: EventLog,
  keeper?: Keeper,
  origin = '',
): Promise<Replica> => {
  const snapshot = await log.snapshot()
  const read = snapshot === undefined ? undefined : readSnapshot(snapshot)
  const foreign = read?.kind === 'state' && origin !== '' && read.origin !== origin
  if (foreign) await expectOrigin(log, origin)
  if (read?.kind === 'state' && !foreign) {
    try {
      const replica = replicaOfSnapshot(read.place, read)
      await keeper?.rebase(snapshot)
      await catchUp(log, replica, keeper)
      return replica
    } catch (error) {
      // The snapshot is of another history. If the log is whole, it is what counts.
      if (!(error instanceof HistoryChanged)) throw error
    }
  }
  const replica = emptyReplica()
  await keeper?.rebase(undefined)
  await catchUp(log, replica, keeper)
  return replica
}

/** A snapshot of another log may be a stray one; if the log has lost its first entry, it speaks for it. */
const expectOrigin = async (log: EventLog, origin: string): Promise<void> => {
  const [first] = await log.range(1, 1)
  if (first?.hash === origin) return
  throw new HistoryChanged({ kind: 'diverged', why: 'the log has another beginning' })
}

/** Applies everything that is new in the log. Throws `HistoryChanged`. */
export const catchUp = async (log: EventLog, replica: Replica, keeper?: Keeper): Promise<void> => {
  for await (const page of log.read(replica.place)) {
    for (const recorded of page) apply(replica, recorded)
    keeper?.keep(page)
  }
}

/** Applies one entry, which must be the next. Returns the services whose routes may differ. */
export const apply = (replica: Replica, recorded: Recorded): readonly string[] => {
  replica.place = placeAfter(replica.place, recorded)
  if (replica.origin === '') replica.origin = recorded.hash
  if (recorded.kind === 'quarantined') {
    replica.quarantine = withQuarantined(replica.quarantine, recorded)
    return []
  }
  const touched = project(replica.table, recorded.event)
  for (const service of touched) replica.tableHash.touch(service)
  const certificate = certificateOf(recorded.event)
  if (certificate !== undefined) replica.tableHash.touchCertificate(certificate)
  return touched
}
