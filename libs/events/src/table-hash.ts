/**
 * One number for a whole route table and its certificates, so that proxies can be compared: at the same
 * position they have the same hash, or one of them is wrong. Every route and certificate is hashed by
 * itself and the hashes are XORed, so that an event costs the hash of what it is about, however many
 * others there are.
 */
import { hash as digest } from 'node:crypto'
import {
  servedOf,
  type Certificate,
  type HealthCheck,
  type Limits,
  type Route,
  type RouteTable,
} from '@gatehouse/domain'

export interface TableHash {
  /** The route of the service may have changed. */
  readonly touch: (service: string) => void
  readonly touchCertificate: (name: string) => void
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

export const createTableHash = ({ routes, gateway }: RouteTable): TableHash => {
  const known = new Map<string, Halves>()
  /** Absent as long as nobody has asked: nothing is hashed yet then. */
  let stale: Set<string> | undefined
  let high = 0
  let low = 0
  const add = (halves: Halves): void => {
    high ^= halves.high
    low ^= halves.low
  }
  const textAt = (key: string): string | undefined => {
    if (key.startsWith(CERTIFICATE)) {
      const certificate = gateway.certificates.get(key.slice(CERTIFICATE.length))
      return certificate === undefined ? undefined : textOfCertificate(certificate)
    }
    const route = routes.get(key)
    return route === undefined ? undefined : textOf(route)
  }
  const refresh = (key: string): void => {
    const before = known.get(key)
    if (before !== undefined) add(before)
    const text = textAt(key)
    if (text === undefined) {
      known.delete(key)
      return
    }
    const hash = digest('sha1', text)
    const halves = {
      high: Number.parseInt(hash.slice(0, 8), 16),
      low: Number.parseInt(hash.slice(8, 16), 16),
    }
    known.set(key, halves)
    add(halves)
  }
  const refreshStale = (servicesMax: number): boolean => {
    stale ??= new Set([...routes.keys(), ...[...gateway.certificates.keys()].map(keyOf)])
    let left = servicesMax
    for (const key of stale) {
      if (left-- === 0) return false
      refresh(key)
      stale.delete(key)
    }
    return true
  }
  const text = (): string => hexOf(high) + hexOf(low)
  return {
    touch: (service) => stale?.add(service),
    touchCertificate: (name) => stale?.add(keyOf(name)),
    value: () => {
      refreshStale(Number.POSITIVE_INFINITY)
      return text()
    },
    within: (servicesMax) => (refreshStale(servicesMax) ? text() : undefined),
  }
}

/** No service has a name with a colon. */
const CERTIFICATE = 'certificate:'
const keyOf = (name: string): string => CERTIFICATE + name

const hexOf = (half: number): string => (half >>> 0).toString(16).padStart(8, '0')

/** What proxies do for it: which bundle they show to whom, and what they answer an authority. */
const textOfCertificate = (certificate: Certificate): string | undefined => {
  const served = servedOf(certificate)
  const challenges = certificate.order?.challenges ?? []
  if (served === undefined && challenges.length === 0) return undefined
  return JSON.stringify([
    keyOf(certificate.name),
    served && [served.fingerprint, served.names],
    challenges.map(inOrder),
  ])
}

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
  const { timeouts, ingress, tls } = release
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
    ...(ingress === undefined ? [] : [inOrder(ingress)]),
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
