/**
 * A bundle: a certificate with its chain, and its private key, as PEM. What is wrong with one that
 * somebody brings is said in one clause before anything is done with it.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { namesCover, type CertificateFacts } from '@gatehouse/domain'

export interface Bundle {
  /** The certificate first, then those that lead to its authority. */
  readonly chain: string
  readonly key: string
}

export type ReadBundle =
  | { readonly kind: 'bundle'; readonly bundle: Bundle; readonly facts: CertificateFacts }
  | { readonly kind: 'unfit'; readonly part: 'certificate' | 'key'; readonly problem: string }

export interface BundleDemands {
  /** Unix milliseconds: what is over by then is refused. */
  readonly now: number
  /** Hosts that the certificate has to cover. */
  readonly hosts?: readonly string[]
}

/** Far above any chain, far below what would make reading it slow. */
export const PEM_CHARACTERS_MAX = 262_144
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

export const readBundle = (
  { chain, key }: Bundle,
  { now, hosts = [] }: BundleDemands,
): ReadBundle => {
  if (chain.length > PEM_CHARACTERS_MAX || key.length > PEM_CHARACTERS_MAX) {
    const part = key.length > PEM_CHARACTERS_MAX ? 'key' : 'certificate'
    return unfit(part, `has more than ${PEM_CHARACTERS_MAX} characters`)
  }
  const texts = chain.match(CERTIFICATE) ?? []
  if (texts.length === 0) {
    return unfit(
      'certificate',
      chain.includes('PRIVATE KEY-----')
        ? 'holds a private key and no certificate; are the two files mixed up?'
        : 'holds no certificate; expected PEM that begins with -----BEGIN CERTIFICATE-----',
    )
  }
  const certificates: X509Certificate[] = []
  for (const [index, text] of texts.entries()) {
    try {
      certificates.push(new X509Certificate(text))
    } catch {
      return unfit('certificate', `holds ${ordinal(index)} that cannot be read as X.509`)
    }
  }
  const [leaf] = certificates
  if (leaf === undefined) return unfit('certificate', 'holds no certificate')
  const privateKey = readKey(key)
  if ('problem' in privateKey) return unfit('key', privateKey.problem)
  if (!leaf.checkPrivateKey(privateKey.key)) {
    const own = certificates.findIndex((each) => each.checkPrivateKey(privateKey.key))
    return unfit(
      'key',
      own > 0
        ? `belongs to ${ordinal(own)}; expected its own certificate first, then the chain`
        : 'does not belong to the certificate',
    )
  }
  const facts = factsOf(leaf)
  const problem = problemOfFacts(facts, now, hosts)
  if (problem !== undefined) return unfit('certificate', problem)
  return { kind: 'bundle', facts, bundle: { chain: `${texts.join('\n')}\n`, key: key.trim() } }
}

/** What a certificate says of itself. */
export const factsOf = (leaf: X509Certificate): CertificateFacts => ({
  names: namesOf(leaf.subjectAltName ?? ''),
  fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
  serial: leaf.serialNumber.toLowerCase(),
  issuer: issuerOf(leaf.issuer),
  notBefore: leaf.validFromDate.getTime(),
  notAfter: leaf.validToDate.getTime(),
})

const problemOfFacts = (
  { names, notBefore, notAfter }: CertificateFacts,
  now: number,
  hosts: readonly string[],
): string | undefined => {
  if (names.length === 0) return 'names no host (it has no DNS name among its subjectAltNames)'
  if (notAfter <= now) return `expired at ${new Date(notAfter).toISOString()}`
  if (notBefore > now) return `is not valid before ${new Date(notBefore).toISOString()}`
  const missed = hosts.filter((host) => !namesCover(names, host))
  return missed.length === 0
    ? undefined
    : `covers ${names.join(', ')}; expected it to cover ${missed.join(', ')} as well`
}

const readKey = (pem: string): { readonly key: KeyObject } | { readonly problem: string } => {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    return {
      problem:
        'is encrypted with a pass phrase; expected one without, as openssl pkey -in key.pem writes it',
    }
  }
  if (!pem.includes('PRIVATE KEY-----')) {
    return {
      problem: pem.includes('-----BEGIN CERTIFICATE-----')
        ? 'holds a certificate and no private key; are the two files mixed up?'
        : 'holds no private key; expected PEM that begins with -----BEGIN PRIVATE KEY-----',
    }
  }
  try {
    return { key: createPrivateKey(pem) }
  } catch {
    return { problem: 'cannot be read as a private key' }
  }
}

/** `DNS:a.example, IP Address:10.0.0.1, DNS:*.a.example`: hosts are asked for by name only. */
const namesOf = (subjectAltName: string): readonly string[] => [
  ...new Set(
    [...subjectAltName.matchAll(/DNS:([^,"\s]+)/g)].map(([, name = '']) => name.toLowerCase()),
  ),
]

/** The common name of the issuer, or all of it. */
const issuerOf = (issuer: string): string =>
  /^CN=(.+)$/m.exec(issuer)?.[1] ?? issuer.replaceAll('\n', ', ')

const ordinal = (index: number): string =>
  index === 0 ? 'a certificate' : `a certificate (number ${index + 1})`

const unfit = (part: 'certificate' | 'key', problem: string): ReadBundle => ({
  kind: 'unfit',
  part,
  problem,
})
