/**
 * A folded state as text. What most services have in common is written once and referred to by number,
 * and what is as in most services is left out: a fleet of fifty thousand loads in a tenth of a second.
 */
import { emptyGateway, type Gateway } from '@gatehouse/domain'
import type { Place, Snapshot } from './log.ts'
import type { Quarantine } from './quarantine.ts'
import {
  packCertificates,
  unpackCertificates,
  type PackedCertificate,
} from './snapshot-certificates.ts'
import { packServices, unpackServices, type PackedServices } from './snapshot-services.ts'

/** Raised whenever the text changes its meaning; another schema is not read but replayed around. */
const SCHEMA = 4

export interface SnapshotState {
  /** The hash of the first entry of the log, which no two logs share; empty before there is one. */
  readonly origin: string
  readonly gateway: Gateway
  readonly quarantine: Quarantine
}

export type ReadSnapshot =
  | ({ readonly kind: 'state'; readonly place: Place } & SnapshotState)
  | { readonly kind: 'unreadable'; readonly why: string }

interface Text extends PackedServices {
  readonly schema: number
  readonly origin: string
  readonly generation: number
  /** Hosts that are claimed and not routed yet. */
  readonly claims: readonly (readonly [host: string, owner: string])[]
  readonly certificates: readonly PackedCertificate[]
  readonly quarantine: Quarantine
}

export const writeSnapshot = (
  place: Place,
  { origin, gateway, quarantine }: SnapshotState,
): Snapshot => {
  const { generation } = gateway
  const { services, releases } = packServices(gateway.services.values())
  const claims = [...gateway.owners].filter(
    ([host, owner]) => gateway.services.get(owner)?.hosts.includes(host) !== true,
  )
  const text: Text = {
    schema: SCHEMA,
    origin,
    generation,
    services,
    releases,
    claims,
    certificates: packCertificates(gateway.certificates.values()),
    quarantine,
  }
  return { position: place.position, hash: place.hash, text: JSON.stringify(text) }
}

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
      origin: text.origin,
      gateway: unpack(text),
      quarantine: text.quarantine,
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { kind: 'unreadable', why: `is not whole: ${reason}` }
  }
}

const unpack = ({ generation, services, releases, claims, certificates }: Text): Gateway => {
  const gateway = emptyGateway()
  gateway.generation = generation
  for (const service of unpackServices({ services, releases })) {
    gateway.services.set(service.name, service)
    for (const host of service.hosts) gateway.owners.set(host, service.name)
  }
  for (const each of unpackCertificates(certificates)) gateway.certificates.set(each.name, each)
  for (const [host, owner] of claims) gateway.owners.set(host, owner)
  return gateway
}
