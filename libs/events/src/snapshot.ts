/**
 * A folded state as text. Most services share their settings, so those are written once and referred to
 * by number: fifty thousand services load in a tenth of a second.
 */
import {
  emptyGateway,
  type Gateway,
  type HealthCheck,
  type KnownRelease,
  type Limits,
  type Release,
  type Service,
} from '@gatehouse/domain'
import type { Place, Snapshot } from './log.ts'
import { EMPTY_QUARANTINE, type Quarantine } from './quarantine.ts'

/** Raised whenever the text changes its meaning; another schema is not read but replayed around. */
const SCHEMA = 1

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
  readonly settings: readonly (HealthCheck | Limits)[]
  readonly services: readonly PackedService[]
  /** Hosts that are claimed and not routed yet. */
  readonly claims: readonly (readonly [host: string, owner: string])[]
  readonly quarantine: Quarantine
}

type PackedService = Omit<Service, 'releases'> & { readonly releases: readonly PackedRelease[] }
type PackedRelease = Omit<KnownRelease, 'release'> & {
  readonly release: Omit<Release, 'health' | 'limits'> & {
    readonly health: number
    readonly limits: number
  }
}

export const writeSnapshot = (place: Place, { gateway, quarantine }: SnapshotState): Snapshot => {
  const settings: (HealthCheck | Limits)[] = []
  const numbers = new Map<string, number>()
  const numberOf = (setting: HealthCheck | Limits): number => {
    const key = JSON.stringify(setting)
    const known = numbers.get(key)
    if (known !== undefined) return known
    settings.push(setting)
    numbers.set(key, settings.length - 1)
    return settings.length - 1
  }
  const services = [...gateway.services.values()].map((service) => ({
    ...service,
    releases: service.releases.map((known) => ({
      ...known,
      release: {
        ...known.release,
        health: numberOf(known.release.health),
        limits: numberOf(known.release.limits),
      },
    })),
  }))
  const claims = [...gateway.owners].filter(
    ([host, owner]) => gateway.services.get(owner)?.hosts.includes(host) !== true,
  )
  const text: Text = {
    schema: SCHEMA,
    generation: gateway.generation,
    settings,
    services,
    claims,
    quarantine,
  }
  return { position: place.position, hash: place.hash, text: JSON.stringify(text) }
}

export const readSnapshot = ({ position, hash, text: json }: Snapshot): ReadSnapshot => {
  let text: Text
  try {
    // Written by this file and guarded by its schema number: what does not hold is caught below.
    text = JSON.parse(json) as Text
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
      quarantine: text.quarantine ?? EMPTY_QUARANTINE,
    }
  } catch (error) {
    return { kind: 'unreadable', why: error instanceof Error ? error.message : String(error) }
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

/** Field by field, so that all services share one shape, absent fields included. */
const unpackService = (packed: PackedService, settings: Text['settings']): Service => ({
  name: packed.name,
  version: packed.version,
  releases: packed.releases.map((known) => ({
    revision: known.revision,
    release: {
      id: known.release.id,
      hosts: known.release.hosts,
      targets: known.release.targets,
      health: settingOf<HealthCheck>(settings, known.release.health, 'attemptMs'),
      drainMs: known.release.drainMs,
      limits: settingOf<Limits>(settings, known.release.limits, 'connectMs'),
      hostHeader: known.release.hostHeader,
      metadata: known.release.metadata,
    },
    status: known.status,
    ejected: known.ejected,
    drained: known.drained,
  })),
  active: packed.active,
  previous: packed.previous,
  candidate: packed.candidate,
  drains: packed.drains,
  traffic: packed.traffic,
  hosts: packed.hosts,
  failure: packed.failure,
  removed: packed.removed,
})

const settingOf = <Setting extends HealthCheck | Limits>(
  settings: Text['settings'],
  number: number,
  mark: keyof Setting,
): Setting => {
  const setting = settings[number]
  if (setting === undefined || !(mark in setting)) {
    throw new TypeError(`setting ${number} is missing or of another kind`)
  }
  // The mark tells the two kinds apart.
  return setting as Setting
}
