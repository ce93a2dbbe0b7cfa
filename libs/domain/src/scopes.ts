/**
 * Which names a decision depends on. The log refuses an append when one of them has moved since the
 * position that the decision was made at, and the command is then decided again.
 */
import { subjectOf, type Command } from './command.ts'
import type { GatewayEvent, ServiceEvent } from './event.ts'
import { releaseOf, type Gateway } from './gateway.ts'
import type { HostPattern } from './host.ts'
import type { Release } from './release.ts'

/**
 * The scopes of an append: `service:x` for every service whose state the decision read or changes,
 * `certificate:z` likewise, and `host:y` for every host that it claims or takes into use. `gateway` is the state decided on. Hosts
 * that are given up need no scope: whoever waits for one was refused, and has appended nothing.
 */
export const scopesOf = (
  command: Command,
  events: readonly GatewayEvent[],
  gateway: Gateway,
): readonly string[] => {
  const services = new Set(servicesReadBy(command))
  const certificates = new Set<string>()
  const hosts = new Set<HostPattern>()
  for (const event of events) {
    if ('certificate' in event) {
      certificates.add(event.certificate)
      continue
    }
    if (readsCertificate(event, events, gateway)) certificates.add(event.service)
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
    ...[...certificates].map((certificate) => `certificate:${certificate}`),
    ...[...hosts].map((host) => `host:${host}`),
  ]
}

/** The services that a command is decided by, whatever it leads to. */
const servicesReadBy = (command: Command): readonly string[] => {
  const subject = subjectOf(command)
  if ('service' in subject) return [subject.service]
  return DECIDED_BY_SERVICE.has(command.type) ? [subject.certificate] : []
}

/** Whether the service of that name has a use for the certificate decides these. */
const DECIDED_BY_SERVICE: ReadonlySet<Command['type']> = new Set([
  'RequestCertificate',
  'ImportCertificate',
  'RevokeCertificate',
  'RemoveCertificate',
])

/** Whether an event of a service says something of its certificate by what it does not lead to. */
const readsCertificate = (
  event: ServiceEvent,
  events: readonly GatewayEvent[],
  gateway: Gateway,
): boolean => {
  if (event.type === 'ReleaseDeclared') return event.release.ingress?.tls === 'manual'
  return (
    event.type === 'ReleaseActivated' && releaseIn(event, events, gateway)?.ingress?.tls === 'auto'
  )
}

/** Every event that claims hosts, or found one claimed, read the owners of all hosts of its release. */
const hostsClaimedBy = (
  event: ServiceEvent,
  events: readonly GatewayEvent[],
  gateway: Gateway,
): readonly HostPattern[] => {
  if (event.type === 'ReleaseDeclared') return event.release.hosts
  const claims =
    event.type === 'SwitchRequested' ||
    event.type === 'ReleaseActivated' ||
    (event.type === 'ReleaseFailed' && event.failure.kind === 'host-taken')
  if (!claims) return []
  return releaseIn(event, events, gateway)?.hosts ?? []
}

/** The release that an event is about: known before, or declared in the same append. */
const releaseIn = (
  { service: name, revision }: { readonly service: string; readonly revision: number },
  events: readonly GatewayEvent[],
  gateway: Gateway,
): Release | undefined => {
  const service = gateway.services.get(name)
  const known = service === undefined ? undefined : releaseOf(service, revision)
  if (known !== undefined) return known.release
  const declared = events.find(
    (each) => each.type === 'ReleaseDeclared' && each.generation === revision,
  )
  return declared?.type === 'ReleaseDeclared' ? declared.release : undefined
}
