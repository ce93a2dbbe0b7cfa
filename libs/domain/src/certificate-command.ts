/** What can be asked about certificates: by people, and by workers that renew and report. */
import type {
  AuthorityChallenge,
  CertificateFacts,
  OrderReason,
  RevocationOutcome,
  RevocationReason,
} from './certificate-event.ts'

export type CertificateCommand =
  RequestCertificate | ImportCertificate | RevokeCertificate | RemoveCertificate

export type CertificateReport = ReportChallenge | ReportCertificate | ReportRevocation

/** Orders a certificate. That a deploy needs one is the domain's own to find. */
export interface RequestCertificate {
  readonly type: 'RequestCertificate'
  readonly certificate: string
  readonly reason: Exclude<OrderReason, 'deploy'>
  /** Absent: those of the service of that name, or else those that the certificate has. */
  readonly names?: readonly string[]
  /** The fingerprint that is to be renewed: does nothing when another has taken its place. */
  readonly renews?: string
}

/** Serves a bundle that somebody brought; it lies sealed under its fingerprint already. */
export interface ImportCertificate extends CertificateFacts {
  readonly type: 'ImportCertificate'
  readonly certificate: string
}

/** Gives up what serves now, tells its authority, and orders another where the gateway may. */
export interface RevokeCertificate {
  readonly type: 'RevokeCertificate'
  readonly certificate: string
  readonly reason: RevocationReason
}

export interface RemoveCertificate {
  readonly type: 'RemoveCertificate'
  readonly certificate: string
}

/** A worker has challenges for the proxies to answer, or needs them no longer. */
export interface ReportChallenge {
  readonly type: 'ReportChallenge'
  readonly certificate: string
  readonly generation: number
  readonly change:
    | { readonly kind: 'published'; readonly challenges: readonly AuthorityChallenge[] }
    | { readonly kind: 'withdrawn' }
}

/** A worker has finished an attempt of an order. */
export interface ReportCertificate {
  readonly type: 'ReportCertificate'
  readonly certificate: string
  readonly generation: number
  readonly outcome: OrderOutcome
}

export type OrderOutcome =
  /** `renewAt` in Unix milliseconds. */
  | ({ readonly kind: 'issued'; readonly renewAt: number } & CertificateFacts)
  /** `retryAt` in Unix milliseconds; absent: another attempt would fail as well. */
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAt?: number }

/** A worker has told the authority of a revocation. */
export interface ReportRevocation {
  readonly type: 'ReportRevocation'
  readonly certificate: string
  readonly fingerprint: string
  readonly outcome: RevocationOutcome
}
