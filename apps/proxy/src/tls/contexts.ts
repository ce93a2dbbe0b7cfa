/** What OpenSSL is told about how we want to be spoken to, the same for every certificate. */
import { constants, createHash } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Bundle } from './bundle.ts'

/**
 * TLS 1.2 with forward secrecy and authenticated encryption alone, and TLS 1.3: what every client of the
 * last ten years speaks. AES-128 is no weaker in practice than AES-256, and quicker.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** How long a session can be resumed, in seconds. */
const SESSION_S = 86_400

export interface ContextParts {
  readonly bundle: Pick<Bundle, 'chain' | 'key'>
  /** PEM: who signs the certificates that clients must show; undefined: they need none. */
  readonly clientAuthority: string | undefined
  /** 48 bytes; undefined: nobody else can resume what this process has begun. */
  readonly ticketKeys: Buffer | undefined
}

/** Throws when OpenSSL will have nothing to do with the bundle or the authorities. */
export const createServerContext = ({
  bundle,
  clientAuthority,
  ticketKeys,
}: ContextParts): SecureContext =>
  createSecureContext({
    cert: bundle.chain,
    key: bundle.key,
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    // A client that renegotiates would have us do the dear half of a handshake over and over.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionTimeout: SESSION_S,
    sessionIdContext: sessionContext(clientAuthority),
    ...(clientAuthority === undefined ? {} : { ca: clientAuthority }),
    ...(ticketKeys === undefined ? {} : { ticketKeys }),
  })

/**
 * Proxies resume each other's sessions, so it is the same in all of them. But who has shown a certificate
 * to one authority, or to none, is not known to another.
 */
const sessionContext = (clientAuthority = ''): string =>
  createHash('sha256').update(`gatehouse ${clientAuthority}`).digest('hex').slice(0, 32)
