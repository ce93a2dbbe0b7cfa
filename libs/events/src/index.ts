/** The log of a fleet, on Redis: append, read, follow, submit; and who is there. */
export {
  factsOf,
  readBundle,
  type Bundle,
  type BundleDemands,
  type ReadBundle,
} from './certificates/bundle.ts'
export { openBundleCache, type BundleCache } from './certificates/cache.ts'
export { createSealer, type Sealer, type Unsealed } from './certificates/seal.ts'
export {
  readSecretKeys,
  requireSecretKeys,
  SECRET_KEY_BYTES,
  SECRET_KEY_FILE,
  type SecretKey,
  type SecretKeys,
} from './certificates/secret-key.ts'
export {
  BUNDLE_PURPOSE,
  createBundleStore,
  openBundle,
  resealBundle,
  sealBundle,
  type OpenedBundle,
  type Resealed,
  type SealedBundles,
} from './certificates/store.ts'
export {
  readTicketKeys,
  resealTicketKeys,
  TICKET_PURPOSE,
  TICKET_ROTATION_MS,
  type TicketKey,
  type TicketKeys,
} from './certificates/ticket-keys.ts'
export { EMPTY_QUARANTINE, type Quarantine, type QuarantinedEntry } from './quarantine.ts'
export { openLocalCopy, TAIL_MAX, type Loaded, type LocalCopy } from './local-copy.ts'
export {
  BEGINNING,
  HistoryChanged,
  type Appended,
  type AppendOptions,
  type Entry,
  type EventLog,
  type Followed,
  type Meta,
  type Place,
  type Position,
  type Recorded,
  type Snapshot,
  type Standing,
} from './log.ts'
export { createMemoryLog } from './memory-log.ts'
export {
  BEAT_MS,
  createPresence,
  LEASE_MS,
  readFleet,
  type Fleet,
  type Presence,
  type PresenceWriter,
  type CertificateProblem,
  type ProxyPresence,
  type Receipt,
  type ReleaseWork,
  type Seen,
  type WorkerPresence,
} from './presence.ts'
export {
  checkRedis,
  ControlPlaneUnfit,
  ControlPlaneUnreachable,
  openRedis,
  type LinkOptions,
  type Patience,
  type RedisFacts,
  type RedisLink,
} from './redis.ts'
export { createRedisLog, fleetTag } from './redis-log.ts'
export {
  apply,
  catchUp,
  emptyReplica,
  openReplica,
  replicaOfSnapshot,
  type Keeper,
  type Replica,
} from './replica.ts'
export {
  FLEET_DEFAULT,
  InvalidSetting,
  readDataDir,
  readFleet as readFleetName,
  readFleetSettings,
  REDIS_URL_FILE,
  type Environment,
  type FleetSettings,
} from './settings.ts'
export { readSnapshot, writeSnapshot, type ReadSnapshot, type SnapshotState } from './snapshot.ts'
export { submit, SUBMIT_TRIES, type Submitted } from './submit.ts'
export { TOOL, VERSION } from './version.ts'
export { createWishes, WISHES_MAX, type Wishes } from './wishes.ts'
