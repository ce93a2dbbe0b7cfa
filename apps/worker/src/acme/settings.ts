/**
 * Which certificate authority to ask, as whom, and how names are proven to it. A wrong setting stops the
 * start of a worker with a sentence that names the variable, what it holds and what was expected.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { InvalidSetting, type Environment } from '@gatehouse/events'
import { parseUpdateServer, type UpdateServer } from './dns-settings.ts'

export interface AcmeSettings {
  /** The CA's directory, an https URL. */
  readonly directory: string
  /** A directory where an order that keeps failing is tried first, because failures there cost nothing. */
  readonly rehearsal?: string
  /** Where the CA may write to about certificates that are about to end. */
  readonly email?: string
  /** PEM of a root that vouches for the CA's own server, besides the usual ones. */
  readonly trusted?: string
  /** An account at the CA that ours is bound to, as CAs with contracts want it (RFC 8555 §7.3.4). */
  readonly binding?: { readonly keyId: string; readonly hmacKey: string }
  /** One of the kinds of certificate that the CA offers. */
  readonly profile?: string
  /** How names without a wildcard are proven: the first at the first attempt, and on in turns. */
  readonly challenges: readonly ChallengeKind[]
  /** How TXT records are made for dns-01, which wildcards need. */
  readonly dns?: DnsSettings
}

export type ChallengeKind = 'http-01' | 'tls-alpn-01' | 'dns-01'

export type DnsSettings = { readonly waitMs: number } & (
  { readonly program: string } | { readonly server: UpdateServer }
)

/** Let's Encrypt, where `staging` issues what no browser trusts, without the limits of the other. */
export const DIRECTORIES = {
  production: 'https://acme-v02.api.letsencrypt.org/directory',
  staging: 'https://acme-staging-v02.api.letsencrypt.org/directory',
} as const

/** Time for the secondary name servers to hear of a record. */
export const DNS_WAIT_MS_DEFAULT = 5_000
const DNS_WAIT_MS_MAX = 600_000
const KINDS = ['http-01', 'tls-alpn-01', 'dns-01'] as const

/** Throws `InvalidSetting`. */
export const readAcmeSettings = (environment: Environment): AcmeSettings => {
  const read = (name: string): string | undefined => {
    const value = environment[name]?.trim()
    return value === '' ? undefined : value
  }
  const email = readEmail(read('GATEHOUSE_ACME_EMAIL'))
  const trusted = readTrusted(read('GATEHOUSE_ACME_CA'))
  const binding = readBinding(read('GATEHOUSE_ACME_EAB_KID'), read('GATEHOUSE_ACME_EAB_KEY'))
  const profile = read('GATEHOUSE_ACME_PROFILE')
  const dns = readDns({
    program: read('GATEHOUSE_ACME_DNS_EXEC'),
    server: read('GATEHOUSE_ACME_DNS_RFC2136'),
    key: read('GATEHOUSE_ACME_DNS_TSIG'),
    waitMs: read('GATEHOUSE_ACME_DNS_WAIT_MS'),
  })
  const directory = readDirectory(read('GATEHOUSE_ACME_DIRECTORY'))
  return {
    directory,
    ...(directory === DIRECTORIES.production ? { rehearsal: DIRECTORIES.staging } : {}),
    ...(email === undefined ? {} : { email }),
    ...(trusted === undefined ? {} : { trusted }),
    ...(binding === undefined ? {} : { binding }),
    ...(profile === undefined ? {} : { profile }),
    challenges: readChallenges(read('GATEHOUSE_ACME_CHALLENGES'), dns),
    ...(dns === undefined ? {} : { dns }),
  }
}

const readDirectory = (given: string | undefined): string => {
  if (given === undefined || given === 'production') return DIRECTORIES.production
  if (given === 'staging') return DIRECTORIES.staging
  // RFC 8555 §6.1: what is said to a CA is signed, what it answers is only as true as its certificate.
  if (URL.canParse(given) && new URL(given).protocol === 'https:') return given
  throw new InvalidSetting(
    `GATEHOUSE_ACME_DIRECTORY is "${given}"; expected "production" or "staging" (both Let's Encrypt), or the https URL of another CA's directory`,
  )
}

const readEmail = (given: string | undefined): string | undefined => {
  if (given === undefined || /^[^\s@,:]+@[^\s@,:]+$/.test(given)) return given
  throw new InvalidSetting(
    `GATEHOUSE_ACME_EMAIL is "${given}"; expected one address, such as ops@example.com`,
  )
}

const readTrusted = (path: string | undefined): string | undefined => {
  if (path === undefined) return undefined
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error'
    throw new InvalidSetting(
      `GATEHOUSE_ACME_CA is "${path}", which cannot be read (${code}); expected a PEM file with the CA's own root`,
      { cause: error },
    )
  }
  if (holdsCertificate(pem)) return pem
  throw new InvalidSetting(
    `GATEHOUSE_ACME_CA is "${path}", which holds no certificate; expected PEM, beginning with -----BEGIN CERTIFICATE-----`,
  )
}

const holdsCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

const readBinding = (
  keyId: string | undefined,
  hmacKey: string | undefined,
): AcmeSettings['binding'] => {
  if (keyId === undefined && hmacKey === undefined) return undefined
  if (keyId === undefined || hmacKey === undefined) {
    const [set, missing] = keyId === undefined ? ['KEY', 'KID'] : ['KID', 'KEY']
    throw new InvalidSetting(
      `GATEHOUSE_ACME_EAB_${set} is set without GATEHOUSE_ACME_EAB_${missing}; expected both, as the CA gave them`,
    )
  }
  // The key is a secret, so nothing of it is repeated.
  if (/^[\w-]{16,}={0,2}$/.test(hmacKey)) return { keyId, hmacKey }
  throw new InvalidSetting(
    'GATEHOUSE_ACME_EAB_KEY is no key; expected base64url, as the CA gave it (letters, digits, "-" and "_")',
  )
}

const readDns = (given: {
  readonly program: string | undefined
  readonly server: string | undefined
  readonly key: string | undefined
  readonly waitMs: string | undefined
}): DnsSettings | undefined => {
  const { program, server, key } = given
  const waitMs = readWait(given.waitMs)
  if (program !== undefined && server !== undefined) {
    throw new InvalidSetting(
      'GATEHOUSE_ACME_DNS_EXEC and GATEHOUSE_ACME_DNS_RFC2136 are both set; expected one way to make TXT records',
    )
  }
  if (server !== undefined) return { server: parseUpdateServer(server, key), waitMs }
  if (key !== undefined) {
    throw new InvalidSetting(
      'GATEHOUSE_ACME_DNS_TSIG is set without GATEHOUSE_ACME_DNS_RFC2136; expected the name server that the key is for',
    )
  }
  if (program === undefined) return undefined
  if (isAbsolute(program)) return { program, waitMs }
  throw new InvalidSetting(
    `GATEHOUSE_ACME_DNS_EXEC is "${program}"; expected the absolute path of a program, such as /usr/local/bin/dns-challenge`,
  )
}

const readWait = (given: string | undefined): number => {
  if (given === undefined) return DNS_WAIT_MS_DEFAULT
  const waitMs = Number(given)
  if (/^\d+$/.test(given) && waitMs <= DNS_WAIT_MS_MAX) return waitMs
  throw new InvalidSetting(
    `GATEHOUSE_ACME_DNS_WAIT_MS is "${given}"; expected milliseconds from 0 to ${DNS_WAIT_MS_MAX}`,
  )
}

const readChallenges = (
  given: string | undefined,
  dns: DnsSettings | undefined,
): readonly ChallengeKind[] => {
  if (given === undefined) return ['http-01']
  const kinds = given.split(',').map((word) => {
    const kind = KINDS.find((each) => each === word.trim().toLowerCase())
    if (kind !== undefined) return kind
    throw new InvalidSetting(
      `GATEHOUSE_ACME_CHALLENGES has "${word.trim()}"; expected some of ${KINDS.join(', ')}, separated by commas`,
    )
  })
  if (!kinds.includes('dns-01') || dns !== undefined) return kinds
  throw new InvalidSetting(
    'GATEHOUSE_ACME_CHALLENGES has dns-01, and nothing says how; expected GATEHOUSE_ACME_DNS_EXEC or GATEHOUSE_ACME_DNS_RFC2136 as well',
  )
}
