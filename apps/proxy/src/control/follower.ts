/**
 * Keeps the data plane at the newest position of the log. It starts from the local copy when there is
 * one, so that a proxy serves without Redis; and when the log that comes back is not the one it knows,
 * it keeps the table it has and says so, until the log fits again or somebody decides otherwise.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { certificateOf } from '@gatehouse/domain'
import {
  apply,
  emptyReplica,
  openReplica,
  TAIL_MAX,
  type EventLog,
  type Followed,
  type Loaded,
  type LocalCopy,
  type Quarantine,
  type Receipt,
  type Recorded,
  type Replica,
} from '@gatehouse/events'
import type { Logger } from 'pino'
import type { DataPlane } from '../data-plane.ts'
import type { FleetCertificates } from '../tls/fleet-certificates.ts'

export interface Follower {
  readonly view: () => FollowerView
  /** Resolves when there is a table to serve by; the listeners open then. */
  readonly ready: Promise<void>
  /** Resolves when the table is that of the log's end, and not a copy of some time ago. */
  readonly inStep: Promise<void>
  /** Resolves when the signal was aborted and the follower has stopped. */
  readonly done: Promise<void>
}

export interface FollowerView {
  readonly position: number
  /** Undefined while there are more services to hash than one look may take. */
  readonly tableHash: string | undefined
  readonly routes: number
  readonly receipts: readonly Receipt[]
  readonly quarantine: Quarantine
  /** Why the table may be older than the log; undefined while it follows. */
  readonly stale: { readonly why: string; readonly sinceMs: number } | undefined
}

export interface FollowerParts {
  readonly log: EventLog
  /** Throws, with the reason in its message, while what holds the log is not fit to. */
  readonly check: () => Promise<void>
  readonly copy: LocalCopy
  readonly dataPlane: Pick<DataPlane, 'setRoute'>
  readonly certificates: Pick<FleetCertificates, 'prepare' | 'follow'>
  /** Milliseconds on Redis's clock. */
  readonly now: () => number
  /** Something has changed that others wait for: a receipt should go out. */
  readonly onProgress: () => void
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** How long a proxy with a local copy waits for Redis before it serves from the copy. */
const START_MS_MAX = 2_000
const RETRY_MS = 1_000
const RECEIPTS_KEPT = 64
/** About a millisecond of work: nobody's request waits longer for somebody's question. */
const HASHED_AT_ONCE = 500
const NOT_YET = 'has not reached the log yet'

export const startFollower = (parts: FollowerParts): Follower => {
  const { log, check, copy, dataPlane, certificates, now, onProgress, logger, signal } = parts
  const { promise: ready, resolve: setReady } = Promise.withResolvers<void>()
  const { promise: inStep, resolve: setInStep } = Promise.withResolvers<void>()
  let replica = emptyReplica()
  let receipts: readonly Receipt[] = []
  let stale: FollowerView['stale'] = { why: NOT_YET, sinceMs: now() }

  const setStale = (why: string): void => {
    if (stale?.why === why) return
    logger.warn({ position: replica.place.position }, `the route table is stale: ${why}`)
    stale = { why, sinceMs: stale?.sinceMs ?? now() }
    onProgress()
  }

  /** Puts another replica in the place of the one there was, route by route. */
  const adopt = (next: Replica): void => {
    for (const service of replica.table.routes.keys()) {
      if (!next.table.routes.has(service)) dataPlane.setRoute(service, undefined)
    }
    for (const [service, route] of next.table.routes) dataPlane.setRoute(service, route)
    const known = next.table.gateway.certificates
    for (const name of replica.table.gateway.certificates.keys()) {
      if (!known.has(name)) certificates.follow(name, undefined)
    }
    for (const [name, certificate] of known) certificates.follow(name, certificate)
    replica = next
  }

  /** Most events need nothing, and must not wait for it. */
  const prepare = (recorded: Recorded): Promise<void> | undefined =>
    recorded.kind === 'event' ? certificates.prepare(recorded.event) : undefined

  const take = (recorded: Recorded): void => {
    if (recorded.kind === 'quarantined') {
      const { position, type, why } = recorded
      logger.error(
        { position, type },
        `an event cannot be understood and is passed over: it ${why}`,
      )
    }
    for (const service of apply(replica, recorded)) {
      dataPlane.setRoute(service, replica.table.routes.get(service))
    }
    const name = recorded.kind === 'event' ? certificateOf(recorded.event) : undefined
    if (name !== undefined) certificates.follow(name, replica.table.gateway.certificates.get(name))
    receipts = [...receipts.slice(1 - RECEIPTS_KEPT), { position: recorded.position, at: now() }]
  }

  const takeBatch = async (batch: readonly Followed[]): Promise<'go on' | 'start over'> => {
    const entries: Recorded[] = []
    let preparing: Promise<void> | undefined
    for (const each of batch) {
      switch (each.kind) {
        case 'recorded':
          preparing = prepare(each.recorded)
          if (preparing !== undefined) await preparing
          take(each.recorded)
          entries.push(each.recorded)
          break
        case 'caught-up':
          if (stale !== undefined) logger.info({ position: each.position }, 'follows the log')
          stale = undefined
          setReady()
          setInStep()
          break
        case 'link':
          if (!each.up) setStale('Redis cannot be reached')
          break
        case 'diverged':
          setStale(each.why)
          // There is a table, or it could not differ: nothing newer will come to wait for.
          setReady()
          break
        case 'gap':
          return 'start over'
      }
    }
    copy.keep(entries)
    onProgress()
    if (copy.tailLength() > TAIL_MAX) await shortenCopy()
    return 'go on'
  }

  const shortenCopy = async (): Promise<void> => {
    const snapshot = await log.snapshot()
    if (snapshot !== undefined && snapshot.position <= replica.place.position) {
      await copy.rebase(snapshot)
    }
  }

  const load = async (): Promise<boolean> => {
    const loaded = await copy.load().catch((error: unknown): Loaded => ({
      kind: 'corrupt',
      why: messageOf(error),
    }))
    if (loaded.kind === 'corrupt') logger.error(`the local copy is not used: ${loaded.why}`)
    if (loaded.kind !== 'loaded') return false
    adopt(loaded.replica)
    return true
  }

  /** The newest state the log has, unless it is another log than the one that was followed before. */
  const open = async (): Promise<void> => {
    const known = replica.place
    if (known.position > 0) {
      const standing = await log.standing(known)
      if (standing?.kind === 'diverged') return setStale(standing.why)
      const snapshot = await log.snapshot()
      const ahead = (snapshot?.position ?? 0) > known.position
      if (standing === undefined && !ahead) return
    }
    adopt(await openReplica(log, copy, replica.origin))
  }

  const untilItWorks = async (attempt: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      try {
        // Without Redis an attempt hangs, and a proxy that is to stop does not wait for it.
        return await Promise.race([attempt(), aborted(signal)])
      } catch (error) {
        setStale(`cannot read the log: ${messageOf(error)}`)
        await pause(RETRY_MS, signal)
      }
    }
  }

  /** An old table is better than none, once the log has had its time to say what is new. */
  const serveCopy = async (): Promise<void> => {
    await Promise.race([ready, pause(START_MS_MAX, signal)])
    // Where there is a reason already, it says more.
    if (stale?.why === NOT_YET) setStale('served from the local copy, without the log')
    setReady()
  }

  const run = async (): Promise<void> => {
    if (await load()) void serveCopy()
    await untilItWorks(async () => {
      await check()
      await open()
    })
    while (!signal.aborted) {
      for await (const batch of log.follow(replica.place, signal)) {
        if ((await takeBatch(batch)) === 'start over') {
          await untilItWorks(open)
          break
        }
      }
    }
  }

  return {
    ready,
    inStep,
    done: run(),
    view: () => ({
      position: replica.place.position,
      tableHash: replica.tableHash.within(HASHED_AT_ONCE),
      routes: replica.table.routes.size,
      receipts,
      quarantine: replica.quarantine,
      stale,
    }),
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  await delay(ms, undefined, { signal }).catch(() => undefined)
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
