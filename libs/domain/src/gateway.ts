/**
 * The whole state that commands are decided against: services and certificates by
 * name, and every host with its owner.
 *
 * A service is immutable and replaced as a whole; the two maps around it are changed in place, because
 * a log of a million events over fifty thousand services cannot copy a map for each.
 */
import type { Certificate } from './certificate.ts'
import type { DrainOutcome, Failure } from './event.ts'
import type { HostPattern } from './host.ts'
import type { DrainMs, Release } from './release.ts'

export interface Gateway {
  /** The highest generation that any event carried. */
  generation: number
  readonly services: Map<string, Service>
  /** Who routes a host, or will once its candidate is healthy. */
  readonly owners: Map<HostPattern, string>
  readonly certificates: Map<string, Certificate>
}

export interface Service {
  readonly name: string
  /** Counts the events about this service: what `--expect-version` compares. */
  readonly version: number
  /** By age of declaration, oldest first; the active one, those that drain, and the last few others. */
  readonly releases: readonly KnownRelease[]
  readonly active: number | undefined
  /** The revision that was active before: where `rollback` goes. */
  readonly previous: number | undefined
  readonly candidate: Candidate | undefined
  readonly drains: readonly Drain[]
  readonly traffic: Traffic
  /** What routes here now. */
  readonly hosts: readonly HostPattern[]
  /** Why the last deploy or switch failed; the next success clears it. */
  readonly failure: { readonly release: string; readonly failure: Failure } | undefined
  /** Removed: no routes any more, kept until its last drain has ended. */
  readonly removed: boolean
}

export interface KnownRelease {
  readonly revision: number
  readonly release: Release
  readonly status: ReleaseStatus
  /** URLs of targets that get no requests at present. */
  readonly ejected: readonly string[]
  /** How its last drain ended, for those who ask later. */
  readonly drained: DrainOutcome | undefined
}

/** `checking` holds for a release that was never ready; a switch back to a retired one leaves it so. */
export type ReleaseStatus = 'checking' | 'ready' | 'active' | 'draining' | 'retired' | 'failed'

export interface Candidate {
  readonly revision: number
  readonly generation: number
  readonly stage: boolean
  readonly takeOver: boolean
}

export interface Drain {
  readonly revision: number
  readonly generation: number
  readonly drainMs: DrainMs
}

export type Traffic =
  | { readonly mode: 'running' }
  | { readonly mode: 'paused'; readonly holdMs: number }
  | { readonly mode: 'stopped'; readonly message: string }

export const emptyGateway = (): Gateway => ({
  generation: 0,
  services: new Map(),
  owners: new Map(),
  certificates: new Map(),
})

export const newService = (name: string): Service => ({
  name,
  version: 0,
  releases: [],
  active: undefined,
  previous: undefined,
  candidate: undefined,
  drains: [],
  traffic: { mode: 'running' },
  hosts: [],
  failure: undefined,
  removed: false,
})

/** A service that is there for commands and listings: not one that only waits for its last drains. */
export const liveService = (gateway: Gateway, name: string): Service | undefined => {
  const service = gateway.services.get(name)
  return service === undefined || service.removed ? undefined : service
}

export const releaseOf = (
  service: Service,
  revision: number | undefined,
): KnownRelease | undefined =>
  revision === undefined ? undefined : service.releases.find((known) => known.revision === revision)

/** The newest release with that id. */
export const releaseNamed = (service: Service, id: string): KnownRelease | undefined =>
  service.releases.findLast((known) => known.release.id === id)
