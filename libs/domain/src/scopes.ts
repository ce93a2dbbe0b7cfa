/**
 * Which names a decision depends on. The log refuses an append when one of them has moved since the
 * position that the decision was made at, and the command is then decided again.
 */
import type { Command } from './command.ts'
import type { GatewayEvent } from './event.ts'
import { releaseOf, type Gateway } from './gateway.ts'
import type { HostPattern } from './host.ts'

/**
 * The scopes of an append: `service:x` for every service whose state the decision read or changes, and
 * `host:y` for every host that it claims or takes into use. `gateway` is the state decided on. Hosts
 * that are given up need no scope: whoever waits for one was refused, and has appended nothing.
 */
export const scopesOf = (
  command: Command,
  events: readonly GatewayEvent[],
  gateway: Gateway,
): readonly string[] => {
  const services = new Set([command.service])
  const hosts = new Set<HostPattern>()
  for (const event of events) {
    for (const host of hostsClaimedBy(event, events, gateway)) hosts.add(host)
    if (event.type === 'ReleaseActivated') {
      for (const loser of event.takenOver) services.add(loser.service)
    }
    // "That host belongs to somebody else" is true only for as long as it does.
    if (event.type === 'ReleaseFailed' && event.failure.kind === 'host-taken') {
      services.add(event.failure.owner)
    }
  }
  return [
    ...[...services].map((service) => `service:${service}`),
    ...[...hosts].map((host) => `host:${host}`),
  ]
}

/** Every event that claims hosts, or found one claimed, read the owners of all hosts of its release. */
const hostsClaimedBy = (
  event: GatewayEvent,
  events: readonly GatewayEvent[],
  gateway: Gateway,
): readonly HostPattern[] => {
  if (event.type === 'ReleaseDeclared') return event.release.hosts
  const claims =
    event.type === 'SwitchRequested' ||
    event.type === 'ReleaseActivated' ||
    (event.type === 'ReleaseFailed' && event.failure.kind === 'host-taken')
  if (!claims) return []
  const service = gateway.services.get(event.service)
  const known = service === undefined ? undefined : releaseOf(service, event.revision)
  if (known !== undefined) return known.release.hosts
  const declared = events.find(
    (each) => each.type === 'ReleaseDeclared' && each.generation === event.revision,
  )
  return declared?.type === 'ReleaseDeclared' ? declared.release.hosts : []
}
