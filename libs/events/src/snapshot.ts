/**
 * A folded state as text. What most services have in common is written once and referred to by number,
 * and what is as in most services is left out: a fleet of fifty thousand loads in a tenth of a second.
 */
import {
  emptyGateway,
  type Gateway,
  type KnownRelease,
  type Release,
  type Service,
} from '@gatehouse/domain'
import type { Place, Snapshot } from './log.ts'
import type { Quarantine } from './quarantine.ts'

/** Raised whenever the text changes its meaning; another schema is not read but replayed around. */
const SCHEMA = 2

export interface SnapshotState {
  readonly gateway: Gateway
  readonly quarantine: Quarantine
}

export type ReadSnapshot =
  | ({ readonly kind: 'state'; readonly place: Place } & SnapshotState)
  | { readonly kind: 'unreadable'; readonly why: string }

interface Text {
  readonly schema: number
  readonly generation: number
  readonly settings: readonly Settings[]
  readonly services: readonly PackedService[]
  /** Hosts that are claimed and not routed yet. */
  readonly claims: readonly (readonly [host: string, owner: string])[]
  readonly quarantine: Quarantine
}

/** What releases have in common. */
type Settings = Pick<Release, 'health' | 'drainMs' | 'limits' | 'hostHeader'> &
  Pick<KnownRelease, 'status' | 'drained'>

/** Lists without names: names would be two thirds of the text. */
type PackedService = readonly [
  name: string,
  version: number,
  hosts: readonly string[],
  active: number | null,
  previous: number | null,
  releases: readonly PackedRelease[],
  more?: MoreOfService,
]

type PackedRelease = readonly [
  revision: number,
  id: string,
  settings: number,
  targets: readonly string[],
  more?: MoreOfRelease,
]

/** What few services have. */
type MoreOfService = Partial<
  Pick<Service, 'candidate' | 'drains' | 'traffic' | 'failure' | 'removed'>
>

interface MoreOfRelease {
  /** Where they are not those of the service. */
  readonly hosts?: readonly string[]
  readonly ejected?: readonly string[]
  readonly metadata?: Release['metadata']
}

export const writeSnapshot = (place: Place, { gateway, quarantine }: SnapshotState): Snapshot => {
  const settings: Settings[] = []
  const numberOf = createNumbering(settings)
  const services = [...gateway.services.values()].map((service) => packService(service, numberOf))
  const claims = [...gateway.owners].filter(
    ([host, owner]) => gateway.services.get(owner)?.hosts.includes(host) !== true,
  )
  const { generation } = gateway
  const text: Text = { schema: SCHEMA, generation, settings, services, claims, quarantine }
  return { position: place.position, hash: place.hash, text: JSON.stringify(text) }
}

/** Numbers settings by what they say, and adds those that are new. */
const createNumbering = (settings: Settings[]): ((of: Settings) => number) => {
  const numbers = new Map<string, number>()
  const texts = new Map<object, string>()
  // Most releases hold the very same objects, so most texts are known.
  const textOf = (setting: object): string => {
    const known = texts.get(setting)
    if (known !== undefined) return known
    const text = JSON.stringify(setting)
    texts.set(setting, text)
    return text
  }
  return (of) => {
    const { health, drainMs, limits, hostHeader, status, drained } = of
    const own = JSON.stringify([drainMs, hostHeader, status, drained])
    const key = `${textOf(health)}${textOf(limits)}${own}`
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, settings.length)
    return settings.push(of) - 1
  }
}

const packService = (service: Service, numberOf: (settings: Settings) => number): PackedService => {
  const { name, version, hosts, active, previous, releases } = service
  const { candidate, drains, traffic, failure, removed } = service
  const more: MoreOfService = {
    ...(candidate === undefined ? {} : { candidate }),
    ...(drains.length === 0 ? {} : { drains }),
    ...(traffic.mode === 'running' ? {} : { traffic }),
    ...(failure === undefined ? {} : { failure }),
    ...(removed ? { removed } : {}),
  }
  const packed = releases.map((known) => packRelease(known, hosts, numberOf))
  const first = [name, version, hosts, active ?? null, previous ?? null, packed] as const
  return isEmpty(more) ? first : [...first, more]
}

const packRelease = (
  { revision, release, status, ejected, drained }: KnownRelease,
  hostsOfService: readonly string[],
  numberOf: (settings: Settings) => number,
): PackedRelease => {
  const { id, hosts, targets, health, drainMs, limits, hostHeader, metadata } = release
  const number = numberOf({ health, drainMs, limits, hostHeader, status, drained })
  const more: MoreOfRelease = {
    ...(isSame(hosts, hostsOfService) ? {} : { hosts }),
    ...(ejected.length === 0 ? {} : { ejected }),
    ...(isEmpty(metadata) ? {} : { metadata }),
  }
  const first = [revision, id, number, targets.map(({ url }) => url)] as const
  return isEmpty(more) ? first : [...first, more]
}

const isEmpty = (more: object): boolean => Object.keys(more).length === 0

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one === other ||
  (one.length === other.length && one.every((host, index) => host === other[index]))

export const readSnapshot = ({ position, hash, text: json }: Snapshot): ReadSnapshot => {
  let text: Text | null
  try {
    // Written by this file and guarded by its schema number: what does not hold is caught below.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    text = JSON.parse(json) as Text | null
  } catch {
    return { kind: 'unreadable', why: 'is not JSON' }
  }
  if (text?.schema !== SCHEMA) {
    return { kind: 'unreadable', why: `has schema ${text?.schema}; ${SCHEMA} is read here` }
  }
  try {
    return {
      kind: 'state',
      place: { position, hash },
      gateway: unpack(text),
      quarantine: text.quarantine,
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { kind: 'unreadable', why: `is not whole: ${reason}` }
  }
}

const unpack = ({ generation, settings, services, claims }: Text): Gateway => {
  const gateway = emptyGateway()
  gateway.generation = generation
  for (const packed of services) {
    const service = unpackService(packed, settings)
    gateway.services.set(service.name, service)
    for (const host of service.hosts) gateway.owners.set(host, service.name)
  }
  for (const [host, owner] of claims) gateway.owners.set(host, owner)
  return gateway
}

const NOTHING_MORE: MoreOfService & MoreOfRelease = {}
const NONE: readonly never[] = []
const NO_METADATA: Release['metadata'] = {}
const RUNNING: Service['traffic'] = { mode: 'running' }

/** Field by field, so that all services share one shape, absent fields included. */
const unpackService = (packed: PackedService, settings: Text['settings']): Service => {
  const hosts = packed[2]
  const more = packed[6] ?? NOTHING_MORE
  return {
    name: packed[0],
    version: packed[1],
    releases: packed[5].map((release) => unpackRelease(release, hosts, settings)),
    active: packed[3] ?? undefined,
    previous: packed[4] ?? undefined,
    candidate: more.candidate,
    drains: more.drains ?? NONE,
    traffic: more.traffic ?? RUNNING,
    hosts,
    failure: more.failure,
    removed: more.removed ?? false,
  }
}

const unpackRelease = (
  packed: PackedRelease,
  hostsOfService: readonly string[],
  settings: Text['settings'],
): KnownRelease => {
  const shared = settings[packed[2]]
  if (shared === undefined) throw new TypeError(`settings ${packed[2]} are missing`)
  const more = packed[4] ?? NOTHING_MORE
  return {
    revision: packed[0],
    release: {
      id: packed[1],
      hosts: more.hosts ?? hostsOfService,
      targets: packed[3].map((url) => ({ url })),
      health: shared.health,
      drainMs: shared.drainMs,
      limits: shared.limits,
      hostHeader: shared.hostHeader,
      metadata: more.metadata ?? NO_METADATA,
    },
    status: shared.status,
    ejected: more.ejected ?? NONE,
    drained: shared.drained,
  }
}
