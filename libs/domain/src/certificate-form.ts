/** What certificates may be called, and which names may stand in one: the complaints, as clauses. */
import type { CertificateFacts } from './certificate-event.ts'
import { problemOfCertifiedName } from './certificate.ts'
import { parseHostPattern } from './host.ts'
import { HOSTS_MAX, NAME } from './release.ts'

const FINGERPRINT = /^[0-9a-f]{64}$/

export const problemOfCertificateName = (name: string): string | undefined => {
  if (NAME.test(name)) return undefined
  const parsed = parseHostPattern(name)
  return 'pattern' in parsed && parsed.pattern === name
    ? undefined
    : `"${name}" is not a name of a certificate; expected a service's name or a host`
}

/** What is wrong with names that a certificate is to be ordered for. */
export const problemOfNames = (
  names: readonly string[],
): { readonly field: string; readonly problem: string } | undefined => {
  if (names.length === 0) return { field: 'names', problem: 'is empty; expected at least one host' }
  if (names.length > HOSTS_MAX) {
    return { field: 'names', problem: `has ${names.length} names; at most ${HOSTS_MAX} fit` }
  }
  for (const [index, name] of names.entries()) {
    const problem = problemOfCertifiedName(name)
    if (problem !== undefined) return { field: `names[${index}]`, problem }
  }
  return undefined
}

export const problemOfFacts = (
  facts: CertificateFacts,
): { readonly field: string; readonly problem: string } | undefined => {
  const { names, fingerprint, notBefore, notAfter } = facts
  if (names.length === 0) return { field: 'names', problem: 'is empty: it covers no host' }
  if (!FINGERPRINT.test(fingerprint)) {
    return { field: 'fingerprint', problem: 'is not a SHA-256 of 64 hexadecimal digits' }
  }
  return notBefore < notAfter
    ? undefined
    : { field: 'not_after', problem: 'is not later than its beginning' }
}
