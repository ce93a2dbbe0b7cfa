/**
 * Which certificates the services need: what an activation orders, what the end of a service calls
 * off, and what is due to be renewed.
 */
import type { CertificateEvent } from './certificate-event.ts'
import { coversAll, openOrder, type Certificate } from './certificate.ts'
import { liveService, releaseOf, type Gateway, type Service } from './gateway.ts'
import { DEFAULT_HOST, type HostPattern } from './host.ts'
import type { Release } from './release.ts'

/** When the gateway replaces a file of somebody's: at this part of its life, before it is over. */
const LIFE_BEFORE_RENEWAL = 2 / 3

/** The hosts that a certificate can name. */
export const certifiable = (hosts: readonly HostPattern[]): readonly string[] =>
  hosts.filter((host) => host !== DEFAULT_HOST)

/**
 * What follows for the service's certificate when the release becomes active: an order when it is to
 * have one and has none for all of its hosts, the end of an order that nobody needs any more.
 */
export const ordersAtActivation = (
  service: string,
  release: Release,
  gateway: Gateway,
  generation: number,
): readonly CertificateEvent[] => {
  const certificate = gateway.certificates.get(service)
  if (release.ingress?.tls !== 'auto') {
    return givenUp(certificate, `service ${service} asks for no certificate any more`)
  }
  const names = certifiable(release.hosts)
  if (names.length === 0 || (certificate !== undefined && isProvided(certificate, names))) return []
  return [
    { type: 'CertificateRequested', certificate: service, names, generation, reason: 'deploy' },
  ]
}

/** The service is removed: what was ordered for it alone is given up. */
export const ordersAtRemoval = (service: string, gateway: Gateway): readonly CertificateEvent[] =>
  givenUp(gateway.certificates.get(service), `service ${service} was removed`)

/** The names that the certificate should have: those of its service, or else those it had last. */
export const namesWanted = (certificate: string, gateway: Gateway): readonly string[] => {
  const service = automatic(certificate, gateway)
  if (service !== undefined) return certifiable(service.hosts)
  const known = gateway.certificates.get(certificate)
  return known?.current?.names ?? known?.order?.names ?? []
}

/** Whether it is to be replaced in time: not what was made for a service that has no use for it now. */
export const isKept = (certificate: Certificate, gateway: Gateway): boolean => {
  if (automatic(certificate.name, gateway) !== undefined) return true
  return certificate.origin !== 'deploy' && certificate.current?.source !== 'imported'
}

/**
 * The certificates that should be ordered again at `now` (Unix milliseconds): those that are kept, due,
 * and not on order. One whose order was given up is not among them: it needs somebody's attention.
 */
export const renewalsDue = (gateway: Gateway, now: number): readonly Certificate[] =>
  [...gateway.certificates.values()].filter(
    (certificate) =>
      certificate.order === undefined &&
      certificate.current !== undefined &&
      renewalOf(certificate.current) <= now &&
      isKept(certificate, gateway),
  )

/** When the next one should be ordered, in Unix milliseconds. */
export const renewalOf = ({
  renewAt,
  notBefore,
  notAfter,
}: NonNullable<Certificate['current']>): number =>
  renewAt ?? notBefore + (notAfter - notBefore) * LIFE_BEFORE_RENEWAL

/** The service of that name, if it is there and has the gateway see to its certificate. */
export const automatic = (name: string, gateway: Gateway): Service | undefined => {
  const service = liveService(gateway, name)
  if (service === undefined || certifiable(service.hosts).length === 0) return undefined
  const known = releaseOf(service, service.active ?? service.previous)
  return known?.release.ingress?.tls === 'auto' ? service : undefined
}

/** Whether it has the names, and will have them still once an order that is open is through. */
const isProvided = (certificate: Certificate, names: readonly string[]): boolean => {
  const { current } = certificate
  const order = openOrder(certificate)
  if (order !== undefined) return coversAll(order.names, names)
  return current !== undefined && current.revoked === undefined && coversAll(current.names, names)
}

const givenUp = (
  certificate: Certificate | undefined,
  reason: string,
): readonly CertificateEvent[] => {
  if (certificate?.origin !== 'deploy') return []
  const order = openOrder(certificate)
  if (order === undefined || order.reason === 'command') return []
  return [
    {
      type: 'CertificateFailed',
      certificate: certificate.name,
      generation: order.generation,
      reason,
      attempts: order.failure?.attempts ?? 0,
    },
  ]
}
