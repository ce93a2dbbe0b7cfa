/** The proxy: follows the log, serves traffic, and says how far it is. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import {
  checkRedis,
  createPresence,
  createRedisLog,
  LEASE_MS,
  openLocalCopy,
  openRedis,
  VERSION,
  type LocalCopy,
  type ProxyPresence,
} from '@gatehouse/events'
import type { Logger } from 'pino'
import { addressText, type Address, type ProxySettings } from './config.ts'
import { listenAdmin } from './control/admin.ts'
import { createFleetClock } from './control/clock.ts'
import { startFollower, type FollowerView } from './control/follower.ts'
import { startHeartbeat, type Heartbeat } from './control/heartbeat.ts'
import { metricsText } from './control/metrics.ts'
import { reasonOf } from './control/reason.ts'
import { routeRows } from './control/route-rows.ts'
import { createDataPlane, type DataPlane } from './data-plane.ts'
import { chooseSockets } from './transport/choose.ts'

/** How long requests may go on after the proxy was told to stop. */
const STOP_GRACE_MS = 30_000
/** A proxy that has not heard from the log for so long asks to get no traffic, and serves what comes. */
const READY_WITHOUT_LOG_MS = 60_000

/** Serves until the signal is aborted, then lets what is in flight end. */
export const runProxy = async (
  settings: ProxySettings,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> => {
  await using stack = new AsyncDisposableStack()
  const startedAt = Date.now()
  const clock = createFleetClock(preciseNow)
  let listening: readonly Address[] = []
  let linkUp = true

  const link = openRedis(settings.redisUrl, {
    name: settings.id,
    patience: 'endless',
    onTrouble: (reason) => {
      linkUp = false
      logger.warn(`Redis at ${link.address} cannot be reached: ${reason}`)
    },
    onRecovered: () => {
      linkUp = true
      logger.info(`Redis at ${link.address} is back`)
    },
  })
  stack.defer(() => link.close())
  const copy = await openCopy(settings, logger)
  stack.defer(() => copy.close())

  // The follower has something to say before there is a presence to say it in.
  let heartbeat: Heartbeat | undefined
  const { sockets, fellBackBecause } = await chooseSockets(settings.transport)
  if (fellBackBecause !== undefined) {
    logger.warn(`The transport is node:net, which is slower: ${fellBackBecause}`)
  }
  const dataPlane = createDataPlane({
    log: logger,
    sockets,
    trustedPeers: settings.trustedProxies,
    limits: {
      clientConnectionsMax: settings.connectionsMax,
      clientConnectionsPerAddressMax: settings.connectionsPerAddressMax,
      requestBytesPerSecondMin: settings.requestBytesPerSecondMin,
    },
    paranoid: settings.paranoid,
    onDrained: () => heartbeat?.beat(),
  })
  // A start that fails leaves nothing running; after a stop in order there is nothing left to do.
  stack.defer(async () => void (await dataPlane.finish(0)))
  const failed = new AbortController()
  const follower = startFollower({
    log: createRedisLog(link, settings.fleet),
    check: async () => {
      for (const warning of (await checkRedis(link)).warnings) logger.warn(warning)
    },
    copy,
    dataPlane,
    now: clock.now,
    onProgress: () => heartbeat?.beat(),
    logger,
    signal: AbortSignal.any([signal, failed.signal]),
  })
  stack.defer(async () => {
    failed.abort()
    await follower.done
  })

  const presence = (): ProxyPresence => {
    const { position, tableHash, receipts, stale, quarantine } = follower.view()
    if (tableHash === undefined) setImmediate(() => heartbeat?.beat())
    return {
      kind: 'proxy',
      id: settings.id,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      listen: listening.map(addressText),
      admin: addressText(admin.address),
      startedAt,
      position,
      ...(tableHash === undefined ? {} : { tableHash }),
      receipts,
      ...(stale === undefined ? {} : { stale: stale.why }),
      quarantined: quarantine.total,
      work: dataPlane.work(),
      stopping: signal.aborted,
    }
  }

  /** A link that hangs tells the follower nothing, but nobody answers the heartbeat any more. */
  const view = (): FollowerView => {
    const seen = follower.view()
    const unheardMs = Date.now() - (heartbeat?.heardAt() ?? startedAt)
    if (seen.stale !== undefined || unheardMs < LEASE_MS) return seen
    const stale = {
      why: heartbeat?.refused() ?? 'Redis does not answer',
      sinceMs: clock.now() - unheardMs,
    }
    return { ...seen, stale }
  }

  const redisConnected = (): boolean =>
    linkUp && Date.now() - (heartbeat?.heardAt() ?? 0) < LEASE_MS
  const admin = await listenAdmin(settings.admin, {
    notReadyBecause: () => {
      const { stale } = view()
      if (signal.aborted) return ['is stopping']
      if (listening.length === 0) return [`has no routes yet: ${stale?.why ?? 'starting'}`]
      return stale !== undefined && clock.now() - stale.sinceMs > READY_WITHOUT_LOG_MS
        ? [stale.why]
        : []
    },
    routes: () => routeRows(dataPlane),
    metrics: () =>
      metricsText({
        id: settings.id,
        version: VERSION,
        dataPlane,
        view: view(),
        redisConnected: redisConnected(),
        now: clock.now(),
      }),
  })
  stack.defer(() => admin.close())
  heartbeat = startHeartbeat(
    createPresence(link, settings.fleet, settings.id, preciseNow),
    presence,
    clock,
    logger,
  )
  stack.defer(() => heartbeat?.stop())

  await Promise.race([follower.ready, aborted(signal)])
  if (!signal.aborted) {
    listening = await listenAll(dataPlane, settings.listen)
    heartbeat.beat()
    logger.info(
      {
        listen: listening.map(addressText),
        admin: addressText(admin.address),
        transport: sockets.name,
      },
      'serving',
    )
    await aborted(signal)
  }

  logger.info({ graceMs: STOP_GRACE_MS }, 'stopping: what is in flight may end')
  heartbeat.beat()
  const { cut } = await dataPlane.finish(STOP_GRACE_MS)
  logger.info({ cut }, 'stopped')
}

/** Throws when the folder cannot be made, with the setting in the sentence. */
const openCopy = async (
  { dataDir, fleet, id }: ProxySettings,
  logger: Logger,
): Promise<LocalCopy> => {
  try {
    return await openLocalCopy(join(dataDir, `copy-${fleet}-${id}`), (reason) =>
      logger.error(reason),
    )
  } catch (cause) {
    throw new Error(
      `Cannot keep a local copy below ${dataDir}: ${reasonOf(cause)}; GATEHOUSE_DATA sets another folder`,
      { cause },
    )
  }
}

const listenAll = async (
  dataPlane: DataPlane,
  addresses: readonly Address[],
): Promise<readonly Address[]> => {
  const listening: Address[] = []
  for (const address of addresses) {
    try {
      listening.push(await dataPlane.listen(address))
    } catch (cause) {
      throw new Error(
        `Cannot listen on ${addressText(address)} for traffic: ${reasonOf(cause)}; GATEHOUSE_LISTEN sets another address`,
        { cause },
      )
    }
  }
  return listening
}

/** Milliseconds since 1970 with microseconds: receipts of a switch lie that close together. */
const preciseNow = (): number => performance.timeOrigin + performance.now()

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
