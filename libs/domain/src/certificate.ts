/**
 * A certificate as the gateway knows it: which names it covers, what serves them now, and the order
 * that is to bring the next one. Keys and chains are no part of it: they lie elsewhere, sealed, under
 * the fingerprint that is all the log says of them.
 */
import type {
  AuthorityChallenge,
  CertificateFacts,
  CertificateFailed,
  OrderReason,
  RevocationReason,
} from './certificate-event.ts'
import { DEFAULT_HOST, parseHostPattern } from './host.ts'

export interface Certificate {
  readonly name: string
  /** Who asked for it first, or last a deploy: it says for how long it is renewed. */
  readonly origin: Exclude<OrderReason, 'renewal'>
  /** What proxies have, revoked or not; absent until the first has come. */
  readonly current: CurrentCertificate | undefined
  /** What is to bring the next one, also while it waits for another attempt or has been given up. */
  readonly order: CertificateOrder | undefined
  /** What its authority has yet to be told of. */
  readonly revocations: readonly Revocation[]
}

export interface CurrentCertificate extends CertificateFacts {
  /** From an authority that can be asked again, or from a file of somebody's. */
  readonly source: 'issued' | 'imported'
  /** Unix milliseconds; absent where it came from a file. */
  readonly renewAt?: number
  readonly revoked: RevocationReason | undefined
}

export interface CertificateOrder {
  readonly generation: number
  readonly names: readonly string[]
  readonly reason: OrderReason
  /** What every proxy answers while the authority looks. */
  readonly challenges: readonly AuthorityChallenge[]
  /** How the last attempt ended. Without `retryAt` there is no next one, unless somebody asks. */
  readonly failure: Pick<CertificateFailed, 'reason' | 'attempts' | 'retryAt'> | undefined
}

export interface Revocation {
  readonly fingerprint: string
  readonly reason: RevocationReason
}

/** What a proxy shows: the bundle under that fingerprint, to whoever asks for one of the names. */
export interface ServedCertificate {
  readonly names: readonly string[]
  readonly fingerprint: string
}

/** Older ones that nobody told their authority of are forgotten. */
export const REVOCATIONS_MAX = 10

export const newCertificate = (name: string, origin: Certificate['origin']): Certificate => ({
  name,
  origin,
  current: undefined,
  order: undefined,
  revocations: [],
})

/**
 * What proxies serve of it. A revoked one that an authority replaces serves until then, because no
 * certificate at all is worse for everybody; a revoked file of somebody's is taken out at once.
 */
export const servedOf = ({ current }: Certificate): ServedCertificate | undefined =>
  current === undefined || (current.revoked !== undefined && current.source === 'imported')
    ? undefined
    : { names: current.names, fingerprint: current.fingerprint }

/** An order that is at work or will be again: not one that was given up. */
export const openOrder = ({ order }: Certificate): CertificateOrder | undefined =>
  order?.failure !== undefined && order.failure.retryAt === undefined ? undefined : order

/**
 * Whether a certificate for the names is one for the host. A wildcard stands for one label
 * (RFC 9525 §6.3), so that `*.example.com` as a host needs the same wildcard.
 */
export const namesCover = (names: readonly string[], host: string): boolean =>
  names.includes(host) || names.includes(`*${host.slice(host.indexOf('.'))}`)

export const coversAll = (names: readonly string[], hosts: readonly string[]): boolean =>
  hosts.every((host) => namesCover(names, host))

/** Why no authority will put the host into a certificate, as far as its form tells. */
export const problemOfCertifiedName = (host: string): string | undefined => {
  const parsed = parseHostPattern(host)
  if ('problem' in parsed) return parsed.problem
  if (parsed.pattern !== host) return `"${host}" is not in normal form`
  if (host === DEFAULT_HOST) return `"${host}" stands for any host; expected a name`
  return host.startsWith('[') || IPV4.test(host)
    ? `"${host}" is an address, which certificates of public authorities do not name; expected a host name`
    : undefined
}

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/
