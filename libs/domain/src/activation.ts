/** What it takes to make a release active, or to take one out: shared by every way that leads there. */
import { ordersAtActivation } from './certificate-need.ts'
import type {
  DrainEnded,
  DrainStarted,
  GatewayEvent,
  ReleaseActivated,
  ReleasePassed,
} from './event.ts'
import { releaseOf, type Gateway, type KnownRelease, type Service } from './gateway.ts'
import type { HostPattern } from './host.ts'
import type { Rejection } from './rejection.ts'
import type { DrainMs } from './release.ts'

/**
 * The switch itself: a drain of the new active one is called off, the old active one starts to drain,
 * and a certificate is ordered where it needs one.
 */
export const activation = (
  service: Service,
  next: KnownRelease,
  generation: number,
  takenOver: ReleaseActivated['takenOver'],
  gateway: Gateway,
): readonly GatewayEvent[] => {
  const drainOfNext = service.drains.find((each) => each.revision === next.revision)
  const before = service.active === next.revision ? undefined : releaseOf(service, service.active)
  return [
    ...(drainOfNext === undefined
      ? []
      : [drainEnded(service, next.revision, drainOfNext.generation, { kind: 'cancelled' })]),
    {
      type: 'ReleaseActivated',
      service: service.name,
      release: next.release.id,
      revision: next.revision,
      generation,
      takenOver,
    },
    ...(before === undefined ? [] : [drainStarted(service, before, generation)]),
    // A number of the state's own: the candidate's may have been given to another order by now.
    ...ordersAtActivation(service.name, next.release, gateway, gateway.generation + 1),
  ]
}

/** A newer command takes the candidate's place. */
export const supersede = (service: Service, by: number): readonly GatewayEvent[] => {
  const { candidate } = service
  const known = releaseOf(service, candidate?.revision)
  if (candidate === undefined || known === undefined) return []
  return [
    {
      type: 'ReleaseSuperseded',
      service: service.name,
      release: known.release.id,
      revision: candidate.revision,
      generation: candidate.generation,
      by,
    },
  ]
}

export const drainStarted = (
  service: Service,
  known: KnownRelease,
  generation: number,
  drainMs: DrainMs = known.release.drainMs,
): DrainStarted => ({
  type: 'DrainStarted',
  service: service.name,
  release: known.release.id,
  revision: known.revision,
  generation,
  drainMs,
})

export const drainEnded = (
  service: Service,
  revision: number,
  generation: number,
  outcome: DrainEnded['outcome'],
): DrainEnded => ({
  type: 'DrainEnded',
  service: service.name,
  release: releaseOf(service, revision)?.release.id ?? '',
  revision,
  generation,
  outcome,
})

/** A release whose health is not checked counts as passed at once. */
export const passedUnchecked = (
  service: string,
  release: string,
  revision: number,
  generation: number,
): ReleasePassed => ({
  type: 'ReleasePassed',
  service,
  release,
  revision,
  generation,
  attempts: 0,
  tookMs: 0,
  failing: [],
})

/** Why the service may not have the hosts: the first of them that another one owns. */
export const hostConflict = (
  service: string,
  hosts: readonly HostPattern[],
  gateway: Gateway,
): Extract<Rejection, { reason: 'host-taken' }> | undefined => {
  for (const host of hosts) {
    const owner = gateway.owners.get(host)
    if (owner !== undefined && owner !== service) return { reason: 'host-taken', host, owner }
  }
  return undefined
}

/** Services that route any of the hosts now, with the hosts that they lose. */
export const losers = (
  service: string,
  hosts: readonly HostPattern[],
  gateway: Gateway,
): ReleaseActivated['takenOver'] => {
  const lost = new Map<string, HostPattern[]>()
  for (const host of hosts) {
    const owner = gateway.owners.get(host)
    if (owner !== undefined && owner !== service)
      lost.set(owner, [...(lost.get(owner) ?? []), host])
  }
  return [...lost].map(([loser, lostHosts]) => ({ service: loser, hosts: lostHosts }))
}
