/**
 * A certificate chain with its private key, read and checked: what does not fit together is refused
 * here, in one sentence, and never reaches a client.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { factsOf } from '@gatehouse/events'

export interface Bundle {
  /** PEM, the certificate itself first. */
  readonly chain: string
  /** PEM. */
  readonly key: string
  /** SHA-256 of the certificate, lower-case hexadecimal digits. */
  readonly fingerprint: string
  /** The DNS names that it covers, in normal form, wildcards among them. */
  readonly names: readonly string[]
  /** Unix milliseconds. */
  readonly notAfter: number
}

export type ReadBundle =
  | { readonly kind: 'bundle'; readonly bundle: Bundle }
  /** A clause that fits behind `the certificate of NAME`. */
  | { readonly kind: 'unfit'; readonly problem: string }

/** An expired one is taken: clients say more about it than we could, and it may be all there is. */
export const readBundle = (chain: string, key: string): ReadBundle => {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(chain)
  } catch {
    return unfit('is no certificate in PEM form')
  }
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(key)
  } catch {
    return unfit(
      'comes with a private key that cannot be read: it is not in PEM form, or encrypted',
    )
  }
  if (!certificate.checkPrivateKey(privateKey)) return unfit('does not belong to its private key')
  const bundle: Bundle = {
    chain,
    key,
    ...factsOf(certificate),
  }
  return { kind: 'bundle', bundle }
}

/** `*.example.com` for `a.example.com`. */
export const wildcardOf = (host: string): string => `*${host.slice(host.indexOf('.'))}`

const unfit = (problem: string): ReadBundle => ({ kind: 'unfit', problem })
