/** What people ask of certificates and what workers find out about them, at random. */
import {
  type CertificateFacts,
  type CertificateJob,
  type Command,
  type Gateway,
} from '@gatehouse/domain'
import { type Random } from './random.ts'

const NAMES = [
  ['a.test'],
  ['a.test', 'b.test', '*.test'],
  ['*.test', '*.b.test', 'c.test'],
] as const
const BUNDLES = 40

export const someCertificateCommand = (
  random: Random,
  certificate: string,
  gateway: Gateway,
): Command => {
  const kind = random.below(100)
  if (kind < 20) {
    const { names } = someBundle(random)
    return { type: 'RequestCertificate', certificate, reason: 'command', names }
  }
  if (kind < 35) return { type: 'RequestCertificate', certificate, reason: 'command' }
  if (kind < 50) {
    const renews = gateway.certificates.get(certificate)?.current?.fingerprint
    const of = renews === undefined ? {} : { renews }
    return { type: 'RequestCertificate', certificate, reason: 'renewal', ...of }
  }
  if (kind < 60) return { type: 'RequestCertificate', certificate, reason: 'on-demand' }
  if (kind < 75) return { type: 'ImportCertificate', certificate, ...someBundle(random) }
  if (kind < 90) return { type: 'RevokeCertificate', certificate, reason: 'superseded' }
  return { type: 'RemoveCertificate', certificate }
}

export const someCertificateReport = (
  random: Random,
  healthy: number,
  job: CertificateJob,
  gateway: Gateway,
): Command => {
  const { certificate } = job
  switch (job.type) {
    case 'OrderCertificate': {
      const { generation } = job
      if (random.chance(0.4)) return someChallenges(random, certificate, generation)
      const order = gateway.certificates.get(certificate)?.order
      const ordered = order === undefined ? {} : { names: order.names }
      const outcome = random.chance(healthy)
        ? { kind: 'issued' as const, renewAt: 60, ...someBundle(random), ...ordered }
        : {
            kind: 'failed' as const,
            reason: 'no address',
            ...(random.chance(0.8) ? { retryAt: 70 } : {}),
          }
      return { type: 'ReportCertificate', certificate, generation, outcome }
    }
    case 'RevokeCertificate': {
      const outcome = random.chance(healthy)
        ? { kind: 'revoked' as const }
        : { kind: 'refused' as const, reason: 'unknown' }
      return { type: 'ReportRevocation', certificate, fingerprint: job.fingerprint, outcome }
    }
  }
}

export const someBundle = (random: Random): CertificateFacts => ({
  names: random.pick(NAMES),
  fingerprint: String(random.below(BUNDLES)).padStart(64, '0'),
  serial: '01',
  issuer: 'A Test Authority',
  notBefore: 1,
  notAfter: 90,
})

const someChallenges = (random: Random, certificate: string, generation: number): Command => {
  const about = { type: 'ReportChallenge', certificate, generation } as const
  if (random.chance(0.3)) return { ...about, change: { kind: 'withdrawn' } }
  const challenges = [
    { kind: 'http-01', host: 'a.test', token: `t${generation}`, keyAuthorization: 'k' } as const,
  ]
  return { ...about, change: { kind: 'published', challenges } }
}
