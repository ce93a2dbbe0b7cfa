/**
 * Certificates on demand: hosts that proxies were asked for and have none for. Each is looked at once, by
 * one worker, and ordered when the list and the one who is asked allow it and the hour has room; all
 * others are forgotten for a while, so that a flood of made-up names costs nothing but this look.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { coversAll, patternCovers, parseHostPattern, type Gateway } from '@gatehouse/domain'
import { fleetTag, type RedisLink, type Wishes } from '@gatehouse/events'
import type { Logger } from 'pino'
import { request } from 'undici'
import type { OnDemandSettings } from './acme/on-demand-settings.ts'
import { causeOf } from './probe-cause.ts'

export interface OnDemandOptions {
  readonly settings: OnDemandSettings
  readonly link: RedisLink
  readonly fleet: string
  readonly wishes: Wishes
  readonly gateway: Gateway
  readonly isTrusted: () => boolean
  /** Asks for a certificate for the host. Answers with why there will be none. */
  readonly order: (host: string) => Promise<string | undefined>
  readonly logger: Logger
}

/** A client waits in its handshake meanwhile. */
const LOOK_MS = 200
const AT_ONCE_MAX = 20
const ASK_MS_MAX = 5_000
/** How long a host that was refused is not looked at again. */
const REFUSED_MS = 60_000
const REFUSED_MAX = 10_000
const HOUR_SECONDS = 3_600

/** Looks until the signal. */
export const orderOnDemand = async (
  options: OnDemandOptions,
  signal: AbortSignal,
): Promise<void> => {
  const { wishes, isTrusted, logger } = options
  /** When each host was refused, oldest first. */
  const refused = new Map<string, number>()
  while (!signal.aborted) {
    await wait(LOOK_MS, undefined, { signal }).catch(() => undefined)
    if (signal.aborted || !isTrusted()) continue
    try {
      const hosts = await wishes.take(AT_ONCE_MAX)
      await Promise.all(hosts.map((host) => consider(host, options, refused)))
    } catch (error) {
      logger.warn({ err: error }, 'certificates on demand were not looked at')
    }
  }
}

const consider = async (
  host: string,
  options: OnDemandOptions,
  refused: Map<string, number>,
): Promise<void> => {
  const { gateway, order, logger } = options
  const nowMs = performance.now()
  if (nowMs - (refused.get(host) ?? Number.NEGATIVE_INFINITY) < REFUSED_MS) return
  if (isKnown(host, gateway)) return
  const reason = (await whyNot(host, options)) ?? (await order(host))
  if (reason === undefined) return
  logger.info({ host, reason }, 'no certificate on demand')
  refused.delete(host)
  refused.set(host, nowMs)
  for (const oldest of refused.keys()) {
    if (refused.size <= REFUSED_MAX) break
    refused.delete(oldest)
  }
}

/** It has one by now, or is about to: many proxies ask for it in the same moment. */
const isKnown = (host: string, { certificates }: Gateway): boolean =>
  certificates.has(host) ||
  [...certificates.values()].some(
    ({ current }) => current !== undefined && coversAll(current.names, [host]),
  )

/** The quota comes last: only what would be ordered counts. */
const whyNot = async (host: string, options: OnDemandOptions): Promise<string | undefined> => {
  const { settings, link, fleet } = options
  const parsed = parseHostPattern(host)
  if ('problem' in parsed) return parsed.problem
  if (parsed.pattern !== host || host.startsWith('*.')) return 'it is not one host in normal form'
  const { hosts, askUrl, perHourMax } = settings
  if (hosts.length > 0 && !hosts.some((pattern) => patternCovers(pattern, host))) {
    return 'it is not among GATEHOUSE_ON_DEMAND_HOSTS'
  }
  const refusal = askUrl === undefined ? undefined : await ask(askUrl, host)
  if (refusal !== undefined) return refusal
  const hour = Math.floor(Date.now() / 1_000 / HOUR_SECONDS)
  const key = `${fleetTag(fleet)}:acme:on-demand:${hour}`
  const ordered = await link.client.incr(key)
  await link.client.expire(key, 2 * HOUR_SECONDS)
  return ordered > perHourMax ? `the fleet has ordered ${perHourMax} in this hour` : undefined
}

const ask = async (askUrl: string, host: string): Promise<string | undefined> => {
  const url = new URL(askUrl)
  url.searchParams.set('domain', host)
  try {
    const { statusCode, body } = await request(url, { signal: AbortSignal.timeout(ASK_MS_MAX) })
    await body.dump()
    if (statusCode >= 200 && statusCode < 300) return undefined
    return `${askUrl} answered ${statusCode}`
  } catch (error) {
    return `the question to ${askUrl} ${causeOf(error)}`
  }
}
