/**
 * What can have happened to a certificate, as past facts. They name bundles (chain and key) by their
 * fingerprint: the SHA-256 of the certificate itself in lower-case hexadecimal digits. Times of
 * certificates are those that their authority wrote, in Unix milliseconds.
 */
export type CertificateEvent =
  | CertificateRequested
  | ChallengePublished
  | ChallengesWithdrawn
  | CertificateIssued
  | CertificateImported
  | CertificateFailed
  | CertificateRevoked
  | RevocationEnded
  | CertificateRemoved

/** A certificate for the names is to be ordered. An order that is under way gives way to this one. */
export interface CertificateRequested {
  readonly type: 'CertificateRequested'
  readonly certificate: string
  readonly names: readonly string[]
  /** The number of the order: what workers report under. */
  readonly generation: number
  readonly reason: OrderReason
}

export type OrderReason = 'deploy' | 'renewal' | 'command' | 'on-demand'

/** From here on every proxy answers the challenge, whichever the authority comes to. */
export interface ChallengePublished {
  readonly type: 'ChallengePublished'
  readonly certificate: string
  readonly generation: number
  readonly challenge: AuthorityChallenge
}

/** How an authority convinces itself that a host is ours, where proxies give the answer. */
export type AuthorityChallenge =
  /** RFC 8555 §8.3: `keyAuthorization` under `/.well-known/acme-challenge/<token>`. */
  | {
      readonly kind: 'http-01'
      readonly host: string
      readonly token: string
      readonly keyAuthorization: string
    }
  /** RFC 8737: the bundle under the fingerprint, to who asks for the host and `acme-tls/1`. */
  | { readonly kind: 'tls-alpn-01'; readonly host: string; readonly fingerprint: string }

export interface ChallengesWithdrawn {
  readonly type: 'ChallengesWithdrawn'
  readonly certificate: string
  readonly generation: number
}

/** What a certificate says of itself. */
export interface CertificateFacts {
  readonly names: readonly string[]
  readonly fingerprint: string
  readonly serial: string
  readonly issuer: string
  /** Unix milliseconds. */
  readonly notBefore: number
  /** Unix milliseconds. */
  readonly notAfter: number
}

/** The order is fulfilled: proxies serve this bundle. */
export interface CertificateIssued extends CertificateFacts {
  readonly type: 'CertificateIssued'
  readonly certificate: string
  readonly generation: number
  /** When to order the next one, in Unix milliseconds. */
  readonly renewAt: number
}

/** Somebody brought a bundle: proxies serve it, and an order that is under way is given up. */
export interface CertificateImported extends CertificateFacts {
  readonly type: 'CertificateImported'
  readonly certificate: string
}

export interface CertificateFailed {
  readonly type: 'CertificateFailed'
  readonly certificate: string
  readonly generation: number
  readonly reason: string
  /** Of this order, this one included. */
  readonly attempts: number
  /** When the next attempt is due, in Unix milliseconds; absent: there is none. */
  readonly retryAt?: number
}

export interface CertificateRevoked {
  readonly type: 'CertificateRevoked'
  readonly certificate: string
  readonly fingerprint: string
  readonly reason: RevocationReason
}

/** Those of RFC 5280 §5.3.1 that public authorities take. */
export type RevocationReason =
  'unspecified' | 'keyCompromise' | 'affiliationChanged' | 'superseded' | 'cessationOfOperation'

/** What the authority said to a revocation. */
export interface RevocationEnded {
  readonly type: 'RevocationEnded'
  readonly certificate: string
  readonly fingerprint: string
  readonly outcome: RevocationOutcome
}

export type RevocationOutcome =
  { readonly kind: 'revoked' } | { readonly kind: 'refused'; readonly reason: string }

/** Nothing of the certificate is left; what is under way for it ends. */
export interface CertificateRemoved {
  readonly type: 'CertificateRemoved'
  readonly certificate: string
}
