/**
 * One number for a whole route table, so that proxies can be compared: at the same position they have
 * the same hash, or one of them is wrong. Every service's route is hashed by itself and the hashes are
 * XORed, so that an event costs the hash of its services, however many others there are.
 */
import { hash as digest } from 'node:crypto'
import type { HealthCheck, Limits, Route, RouteTable } from '@gatehouse/domain'

export interface TableHash {
  /** The route of the service may have changed. */
  readonly touch: (service: string) => void
  /** Sixteen hexadecimal digits. */
  readonly value: () => string
  /**
   * The same without a long turn: hashes at most `servicesMax` of those that changed, and is undefined
   * while there are more.
   */
  readonly within: (servicesMax: number) => string | undefined
}

/** The first 64 bits of a digest, in two halves that XOR can take. */
interface Halves {
  readonly high: number
  readonly low: number
}

export const createTableHash = ({ routes }: RouteTable): TableHash => {
  const known = new Map<string, Halves>()
  /** Absent as long as nobody has asked: nothing is hashed yet then. */
  let stale: Set<string> | undefined
  let high = 0
  let low = 0
  const add = (halves: Halves): void => {
    high ^= halves.high
    low ^= halves.low
  }
  const refresh = (service: string): void => {
    const before = known.get(service)
    if (before !== undefined) add(before)
    const route = routes.get(service)
    if (route === undefined) {
      known.delete(service)
      return
    }
    const hash = digest('sha1', textOf(route))
    const halves = {
      high: Number.parseInt(hash.slice(0, 8), 16),
      low: Number.parseInt(hash.slice(8, 16), 16),
    }
    known.set(service, halves)
    add(halves)
  }
  const refreshStale = (servicesMax: number): boolean => {
    stale ??= new Set(routes.keys())
    let left = servicesMax
    for (const service of stale) {
      if (left-- === 0) return false
      refresh(service)
      stale.delete(service)
    }
    return true
  }
  const text = (): string => hexOf(high) + hexOf(low)
  return {
    touch: (service) => stale?.add(service),
    value: () => {
      refreshStale(Number.POSITIVE_INFINITY)
      return text()
    },
    within: (servicesMax) => (refreshStale(servicesMax) ? text() : undefined),
  }
}

const hexOf = (half: number): string => (half >>> 0).toString(16).padStart(8, '0')

/**
 * What a route says, the same for equal routes whatever the order in which their fields came: a log
 * keeps the order of the program that wrote an event, and a snapshot has one of its own.
 */
const textOf = ({ service, hosts, traffic, active, drains }: Route): string =>
  JSON.stringify([
    service,
    hosts,
    traffic.mode,
    traffic.mode === 'paused' ? traffic.holdMs : null,
    traffic.mode === 'stopped' ? traffic.message : null,
    drains.map(({ revision, generation, drainMs }) => [revision, generation, drainMs]),
    ...(active === undefined ? [] : textsOfActive(active)),
  ])

const textsOfActive = ({ revision, release, ejected }: NonNullable<Route['active']>) => {
  const { id, hosts, targets, health, drainMs, limits, hostHeader, metadata } = release
  const { timeouts, tls } = release
  return [
    revision,
    ejected,
    id,
    hosts,
    targets.map(({ url }) => url),
    settingsHash(health),
    drainMs,
    settingsHash(limits),
    hostHeader,
    inOrder(metadata),
    // Absent from most, and then from the text, so that it is what it was before there were any.
    ...(timeouts === undefined ? [] : [timeouts.map(inOrder)]),
    ...(tls === undefined ? [] : [inOrder(tls)]),
  ]
}

/** Releases share their settings, and settings never change, so each is hashed once. */
const settingsHashes = new WeakMap<HealthCheck | Limits, string>()

const settingsHash = (settings: HealthCheck | Limits): string => {
  const known = settingsHashes.get(settings)
  if (known !== undefined) return known
  const hash = digest('sha1', JSON.stringify(inOrder(settings)))
  settingsHashes.set(settings, hash)
  return hash
}

const inOrder = (fields: object): readonly (readonly [string, unknown])[] =>
  Object.entries(fields).toSorted(([one], [other]) => (one < other ? -1 : 1))
