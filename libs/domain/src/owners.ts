/**
 * Who owns a host: the service that routes it, or else the one whose candidate asked for it first and
 * will. A host that is routed has one owner whatever the log holds, so that no two services can answer
 * for it; a claim that came too late stays without effect, and the health report of its candidate
 * finds the host taken.
 */
import type { GatewayEvent } from './event.ts'
import { releaseOf, type Gateway, type Service } from './gateway.ts'
import type { HostPattern } from './host.ts'

/** The service as it may stand after the event: without hosts that another service routes. */
export const withoutForeignHosts = (
  gateway: Gateway,
  service: Service,
  event: GatewayEvent,
): Service => {
  if (event.type !== 'ReleaseActivated' || event.service !== service.name) return service
  const hosts = service.hosts.filter((host) => {
    const owner = gateway.owners.get(host)
    if (owner === undefined || owner === service.name) return true
    return gateway.services.get(owner)?.hosts.includes(host) !== true
  })
  return hosts.length === service.hosts.length ? service : { ...service, hosts }
}

/** Brings the owners up to date with a service that an event has changed; `after` is gone if absent. */
export const settleOwners = (
  { owners }: Gateway,
  before: Service | undefined,
  after: Service | undefined,
  event: GatewayEvent,
): void => {
  // Only the event that names a candidate claims for it: the scopes of any other say nothing of hosts.
  const claims = event.type === 'ReleaseDeclared' || event.type === 'SwitchRequested'
  if (!claims && before?.hosts === after?.hosts && before?.candidate === after?.candidate) return
  if (before !== undefined) {
    const kept = new Set(after === undefined ? [] : [...after.hosts, ...hostsOfCandidate(after)])
    for (const host of [...before.hosts, ...hostsOfCandidate(before)]) {
      if (!kept.has(host) && owners.get(host) === before.name) owners.delete(host)
    }
  }
  if (after === undefined) return
  for (const host of after.hosts) owners.set(host, after.name)
  if (!claims) return
  for (const host of hostsOfCandidate(after)) {
    if (!owners.has(host)) owners.set(host, after.name)
  }
}

/** Hosts that a candidate claims while it is checked; one that takes over claims none before it wins. */
const hostsOfCandidate = (service: Service): readonly HostPattern[] => {
  const { candidate } = service
  if (candidate === undefined || candidate.takeOver) return []
  return releaseOf(service, candidate.revision)?.release.hosts ?? []
}
