/**
 * A certificate chain with its private key, read and checked: what does not fit together is refused
 * here, in one sentence, and never reaches a client.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'

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
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    names: namesOf(certificate),
    notAfter: certificate.validToDate.getTime(),
  }
  return { kind: 'bundle', bundle }
}

/**
 * Whether a certificate for the names is one for the host. A wildcard stands for one label
 * (RFC 9525 §6.3).
 */
export const coversHost = (names: readonly string[], host: string): boolean =>
  names.includes(host) || names.includes(wildcardOf(host))

/** `*.example.com` for `a.example.com`. */
export const wildcardOf = (host: string): string => `*${host.slice(host.indexOf('.'))}`

const unfit = (problem: string): ReadBundle => ({ kind: 'unfit', problem })

/** RFC 9525 §6.3: the subject's common name is not one of them. */
const namesOf = ({ subjectAltName }: X509Certificate): readonly string[] =>
  (subjectAltName ?? '').split(', ').flatMap((name) => {
    const [kind, value = ''] = name.split(':', 2)
    return kind === 'DNS' || kind === 'IP Address' ? [value.toLowerCase()] : []
  })
