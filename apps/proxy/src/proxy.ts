/** The proxy: follows the log, serves traffic, and says how far it is. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
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
import { listenAdmin, type AdminListener, type AdminView } from './control/admin.ts'
import { createFleetClock } from './control/clock.ts'
import { startFollower, type FollowerView } from './control/follower.ts'
import { startHeartbeat, type Heartbeat } from './control/heartbeat.ts'
import { metricsText } from './control/metrics.ts'
import { reasonOf } from './control/reason.ts'
import { routeRows } from './control/route-rows.ts'
import { createDataPlane, type DataPlane } from './data-plane.ts'
import { readCertificateFiles } from './tls/certificate-files.ts'
import { openFleetTls, type FleetTls } from './tls/fleet-tls.ts'
import { chooseSockets } from './transport/choose.ts'
import { withProvenTls } from './transport/tls-self-test.ts'
import type { Sockets } from './transport/transport.ts'

/** A proxy that has not heard from the log for so long asks to get no traffic, and serves what comes. */
const READY_WITHOUT_LOG_MS = 60_000

/** What there is by then is served; the others come when they come. */
const CERTIFICATES_MS_MAX = 10_000

/**
 * Serves until the signal is aborted, then lets what is in flight end. Calls `onServing` when its
 * listeners are open, and returns how much work it had to cut.
 */
export const runProxy = async (
  settings: ProxySettings,
  logger: Logger,
  signal: AbortSignal,
  onServing: () => void,
): Promise<{ readonly cut: number }> => {
  await using stack = new AsyncDisposableStack()
  const startedAt = Date.now()
  const clock = createFleetClock(preciseNow)
  let listening: readonly Address[] = []
  let admin: AdminListener | undefined
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
  const sockets = await openSockets(settings, logger)
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
    http2: settings.http2,
    onDrained: () => heartbeat?.beat(),
  })
  // A start that fails leaves nothing running; after a stop in order there is nothing left to do.
  stack.defer(async () => void (await dataPlane.finish(0)))
  const { defaultCertificate } = settings
  if (defaultCertificate !== undefined) {
    dataPlane.certificates.setDefault(await readCertificateFiles(defaultCertificate))
  }
  stack.defer(onReload(() => reloadCertificate(settings, dataPlane, logger)))
  // Not ended by the signal: while work goes on, a drain of it has to be heard of, and its end told.
  const following = new AbortController()
  const fleetTls = await openFleetTls({
    settings,
    link,
    dataPlane,
    onChange: () => heartbeat?.beat(),
    logger,
    signal: following.signal,
  })
  const follower = startFollower({
    log: createRedisLog(link, settings.fleet),
    check: async () => {
      for (const warning of (await checkRedis(link)).warnings) logger.warn(warning)
    },
    copy,
    dataPlane,
    certificates: fleetTls.certificates,
    now: clock.now,
    onProgress: () => heartbeat?.beat(),
    logger,
    signal: following.signal,
  })
  stack.defer(async () => {
    following.abort()
    await follower.done
  })

  const presence = (): ProxyPresence => {
    const { position, tableHash, receipts, stale, quarantine } = follower.view()
    const certificateProblems = fleetTls.certificates.problems()
    if (tableHash === undefined) setImmediate(() => heartbeat?.beat())
    return {
      kind: 'proxy',
      id: settings.id,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      listen: listening.map(addressText),
      admin: addressText(admin?.address ?? settings.admin),
      startedAt,
      position,
      ...(tableHash === undefined ? {} : { tableHash }),
      receipts,
      ...(stale === undefined ? {} : { stale: stale.why }),
      quarantined: quarantine.total,
      ...(certificateProblems.length === 0 ? {} : { certificateProblems }),
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
  // Probes of a socket that is not ours alone ask about the place, where somebody else serves next.
  const handsOver = settings.admin.fd !== undefined
  const adminView: AdminView = {
    notReadyBecause: () => {
      const { stale } = view()
      if (signal.aborted && !handsOver) return ['is stopping']
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
  }
  const openAdmin = async (): Promise<void> => {
    const opened = await listenAdmin(settings.admin, adminView)
    admin = opened
    stack.defer(() => opened.close())
  }
  // The one that a successor takes over from answers there, until both listeners change hands at once.
  if (settings.succeeds === undefined) await openAdmin()
  heartbeat = startHeartbeat(
    createPresence(link, settings.fleet, settings.id, preciseNow),
    presence,
    clock,
    logger,
  )
  stack.defer(() => heartbeat?.stop())

  // A successor has no use for an older table than that of the one it succeeds.
  const ready = settings.succeeds === undefined ? follower.ready : follower.inStep
  await Promise.race([ready.then(() => readyForTls(fleetTls)), aborted(signal)])
  if (!signal.aborted) {
    listening = [
      ...(await listenAll((at) => dataPlane.listen(at), settings.listen, 'GATEHOUSE_LISTEN')),
      ...(await listenAll(
        (at) => dataPlane.listenSecure(at),
        settings.listenTls,
        'GATEHOUSE_LISTEN_TLS',
      )),
    ]
    if (admin === undefined) await openAdmin()
    heartbeat.beat()
    const { listen, admin: adminAt } = presence()
    const { succeeds } = settings
    logger.info({ listen, admin: adminAt, transport: sockets.name, succeeds }, 'serving')
    onServing()
    await aborted(signal)
  }

  const { stopGraceMs } = settings
  logger.info({ graceMs: stopGraceMs }, 'stopping: what is in flight may end')
  heartbeat.beat()
  // Its socket is not ours alone: whoever serves there next should answer.
  if (handsOver) void admin?.close()
  const { cut } = await dataPlane.finish(stopGraceMs)
  logger.info({ cut }, 'stopped')
  return { cut }
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

/** Throws when the transport that was asked for by name does not work here. */
const openSockets = async (
  { transport, listenTls }: ProxySettings,
  logger: Logger,
): Promise<Sockets> => {
  const { sockets, fellBackBecause } = await chooseSockets(transport)
  if (fellBackBecause !== undefined) {
    logger.warn(`The transport is ${sockets.name}, which is slower: ${fellBackBecause}`)
  }
  if (listenTls.length === 0) return sockets
  const proven = await withProvenTls(sockets)
  if (proven.fellBackBecause !== undefined) {
    logger.warn(`TLS is that of node:tls, which is slower: ${proven.fellBackBecause}`)
  }
  return proven.sockets
}

/** Certificates are tried to be had, and session ticket keys: clients wait for no more than the attempt. */
const readyForTls = async ({ certificates, start }: FleetTls): Promise<void> => {
  await Promise.all([
    Promise.race([certificates.settled(), delay(CERTIFICATES_MS_MAX, undefined, { ref: false })]),
    start(),
  ])
}

/** Has it done at every SIGHUP; returns what ends that. */
const onReload = (reload: () => Promise<void>): (() => void) => {
  const listener = (): void => void reload()
  process.on('SIGHUP', listener)
  return () => void process.off('SIGHUP', listener)
}

/** Connections go on with what they have; what cannot be read leaves what was read before. */
const reloadCertificate = async (
  { defaultCertificate }: ProxySettings,
  { certificates }: DataPlane,
  logger: Logger,
): Promise<void> => {
  if (defaultCertificate === undefined) return
  try {
    const bundle = await readCertificateFiles(defaultCertificate)
    certificates.setDefault(bundle)
    const { names, fingerprint } = bundle
    logger.info({ names, fingerprint }, 'the default certificate was read again')
  } catch (error) {
    logger.error(`${reasonOf(error)}; the certificate that was read before stays`)
  }
}

const listenAll = async (
  listen: (address: Address) => Promise<Address>,
  addresses: readonly Address[],
  setting: string,
): Promise<readonly Address[]> => {
  const listening: Address[] = []
  for (const address of addresses) {
    try {
      listening.push(await listen(address))
    } catch (cause) {
      const remedy =
        address.fd === undefined
          ? `${setting} sets another address`
          : 'LISTEN_FDS says that it was handed down'
      throw new Error(
        `Cannot listen on ${addressText(address)} for traffic: ${reasonOf(cause)}; ${remedy}`,
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
