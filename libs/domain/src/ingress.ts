/** How clients reach a service: over TLS or not, and where they are sent when they come otherwise. */
import { coversAll, namesCover, problemOfCertifiedName, type Certificate } from './certificate.ts'
import { DEFAULT_HOST, parseHostPattern, patternCovers, type HostPattern } from './host.ts'

export interface Ingress {
  /** `auto`: the gateway sees to a certificate. `manual`: somebody brought one. */
  readonly tls: 'auto' | 'manual' | 'off'
  /** Requests in clear text are sent to `https`. */
  readonly forceHttps: boolean
  /** RFC 6797: for how long browsers shall come by `https` only. */
  readonly hstsSeconds?: number
  /** The host that all others of the service lead to. */
  readonly canonicalHost?: string
  /** PEM: who signs the certificates that every client must show. */
  readonly clientCa?: string
}

/** Two years, which is what browsers' preload lists ask for at least half of. */
export const HSTS_SECONDS_MAX = 63_072_000
export const CLIENT_CA_CHARACTERS_MAX = 65_536

/** What is wrong with it, as a field of a spec and a clause. */
export const problemOfIngress = (
  { tls, hstsSeconds, canonicalHost, clientCa }: Ingress,
  hosts: readonly HostPattern[],
): { readonly field: string; readonly problem: string } | undefined => {
  if (tls === 'auto') {
    const named = hosts.filter((host) => host !== DEFAULT_HOST)
    if (named.length === 0) {
      return { field: 'tls', problem: 'is auto, and hosts name nothing that a certificate could' }
    }
    for (const [index, host] of hosts.entries()) {
      const problem = host === DEFAULT_HOST ? undefined : problemOfCertifiedName(host)
      if (problem !== undefined) return { field: `hosts[${index}]`, problem }
    }
  }
  if (
    hstsSeconds !== undefined &&
    !(Number.isSafeInteger(hstsSeconds) && hstsSeconds >= 0 && hstsSeconds <= HSTS_SECONDS_MAX)
  ) {
    return {
      field: 'hsts',
      problem: `is ${hstsSeconds}s; expected whole seconds, at most ${HSTS_SECONDS_MAX}`,
    }
  }
  if (clientCa !== undefined && clientCa.length > CLIENT_CA_CHARACTERS_MAX) {
    return {
      field: 'tls.client_ca',
      problem: `has ${clientCa.length} characters; at most ${CLIENT_CA_CHARACTERS_MAX} fit`,
    }
  }
  return canonicalHost === undefined ? undefined : problemOfCanonical(canonicalHost, hosts)
}

/** What a service that brings its own certificate lacks; undefined when it has one for all its hosts. */
export const problemOfManual = (
  hosts: readonly HostPattern[],
  current: Pick<NonNullable<Certificate['current']>, 'names'> | undefined,
): { readonly field: string; readonly problem: string } | undefined => {
  if (current === undefined) {
    return { field: 'tls', problem: 'is manual, and no certificate was imported for the service' }
  }
  const named = hosts.filter((host) => host !== DEFAULT_HOST)
  if (coversAll(current.names, named)) return undefined
  const missed = named.find((host) => !namesCover(current.names, host))
  return {
    field: 'tls',
    problem: `brings a certificate for ${current.names.join(', ')}, which does not cover host ${missed}`,
  }
}

const problemOfCanonical = (
  canonicalHost: string,
  hosts: readonly HostPattern[],
): { readonly field: string; readonly problem: string } | undefined => {
  const parsed = parseHostPattern(canonicalHost)
  if ('problem' in parsed) return { field: 'canonical_host', problem: parsed.problem }
  const { pattern } = parsed
  if (pattern !== canonicalHost || pattern.startsWith('*.') || pattern === DEFAULT_HOST) {
    return { field: 'canonical_host', problem: `"${canonicalHost}" is not one exact host name` }
  }
  // A host that leads to another service would send everybody there, and perhaps back.
  return hosts.some((host) => patternCovers(host, pattern))
    ? undefined
    : {
        field: 'canonical_host',
        problem: `"${canonicalHost}" is not among the hosts of the service: ${hosts.join(', ')}`,
      }
}
