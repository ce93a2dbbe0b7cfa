/**
 * What a listener with TLS and its owner say to each other. The owner is asked once per handshake, with
 * what the client said first and before any cryptography is done; the transport does the rest, and says
 * how it ended.
 */
import type { X509Certificate } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import type { ClientHello } from './client-hello.ts'

export interface TlsTerms {
  /** Called once per handshake. It must not wait, and may not throw. */
  readonly choose: (hello: ClientHello) => TlsChoice
  /** From the accepted connection to the end of its handshake. */
  readonly handshakeMs: number
  /** Once per accepted connection, however its handshake ends. */
  readonly onHandshake: (outcome: HandshakeOutcome) => void
}

export type TlsChoice =
  | {
      readonly kind: 'serve'
      readonly context: SecureContext
      /** In the form of RFC 7301 §3.1 (`applicationProtocols`), the preferred one first. */
      readonly applicationProtocols: Buffer
      /** `required`: one that the context's authorities have signed, or there is no connection. */
      readonly clientCertificate: 'ignored' | 'required'
      readonly identity: ServedIdentity
    }
  | { readonly kind: 'refuse'; readonly alert: TlsAlert; readonly reason: HandshakeFailure }

/** Whom a connection took us for, for those who decide about its requests. */
export interface ServedIdentity {
  /** Whether the certificate answers for the host, which is in normal form. */
  readonly covers: (host: string) => boolean
  /** Names the authorities that signed the client's certificate; undefined when none was asked for. */
  readonly clientAuthority: string | undefined
}

/** A connection whose handshake is done. */
export interface TlsSession {
  /** As the client wrote it; undefined when it named nobody. */
  readonly serverName: string | undefined
  /** `h2`, `http/1.1`; undefined when the client named none. */
  readonly applicationProtocol: string | undefined
  readonly identity: ServedIdentity
  /** Verified; undefined when none was asked for. */
  readonly clientCertificate: X509Certificate | undefined
}

export type HandshakeOutcome = 'full' | 'resumed' | HandshakeFailure

export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number]

export const HANDSHAKE_FAILURES = [
  /** What came is not TLS. */
  'not-tls',
  'bad-hello',
  /** There is no certificate for the name, and no default. */
  'unknown-name',
  /** OpenSSL refuses what there is for the name. */
  'unusable-certificate',
  'timeout',
  /** The client went away. */
  'left',
  'no-shared-version',
  'no-shared-cipher',
  'no-shared-application-protocol',
  /** A required certificate of the client was not there, or did not verify. */
  'client-certificate',
  /** The client did not like something of ours: often, it does not trust our certificate. */
  'client-alert',
  'protocol-error',
] as const

/** RFC 8446 §6.2. */
export const TLS_ALERT = {
  handshakeFailure: 40,
  decodeError: 50,
  unrecognizedName: 112,
} as const

export type TlsAlert = (typeof TLS_ALERT)[keyof typeof TLS_ALERT]

/** The list in its form on the wire: each name behind its length. */
export const applicationProtocols = (names: readonly string[]): Buffer =>
  Buffer.concat(names.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`)))

/** Why a handshake failed, from OpenSSL's word for it. */
export const failureOfTlsError = (error: Error | undefined): HandshakeFailure => {
  const code = error !== undefined && 'code' in error ? String(error.code) : ''
  if (!code.startsWith('ERR_SSL_')) return error === undefined ? 'left' : 'protocol-error'
  if (/PEER_DID_NOT_RETURN_A_CERTIFICATE|CERTIFICATE_VERIFY_FAILED/.test(code)) {
    return 'client-certificate'
  }
  if (code.includes('_ALERT_')) return 'client-alert'
  if (/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|WRONG_VERSION/.test(code)) return 'no-shared-version'
  if (code.endsWith('NO_APPLICATION_PROTOCOL')) return 'no-shared-application-protocol'
  return /NO_SHARED_|NO_SUITABLE_/.test(code) ? 'no-shared-cipher' : 'protocol-error'
}

/**
 * Whom we chose a certificate for, and whom OpenSSL has read, must be one. It knows no name of some
 * sessions that are resumed.
 */
export const isSameName = (read: unknown, chosenFor: string | undefined): boolean =>
  typeof read !== 'string' || read === '' || read === chosenFor
