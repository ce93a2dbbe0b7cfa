/** What tests of this library know of certificates: one event of every shape. */
import type { CertificateEvent, CertificateFacts } from '@gatehouse/domain'

export type CertificateExamples = {
  readonly [Type in CertificateEvent['type']]: readonly [
    Extract<CertificateEvent, { type: Type }>,
    ...Extract<CertificateEvent, { type: Type }>[],
  ]
}

export const facts: CertificateFacts = {
  names: ['shop.example', '*.shop.example'],
  fingerprint: 'ab'.repeat(32),
  serial: '04d2',
  issuer: 'Example Authority R1',
  notBefore: 1_780_000_000_000,
  notAfter: 1_787_776_000_000,
}

const attempt = { certificate: 'shop', generation: 3 }
const { names, fingerprint } = facts

export const CERTIFICATE_EXAMPLES: CertificateExamples = {
  CertificateRequested: [
    { type: 'CertificateRequested', ...attempt, names, reason: 'deploy' },
    { type: 'CertificateRequested', ...attempt, names, reason: 'on-demand' },
  ],
  ChallengePublished: [
    {
      type: 'ChallengePublished',
      ...attempt,
      challenge: { kind: 'http-01', host: 'shop.example', token: 't', keyAuthorization: 't.k' },
    },
    {
      type: 'ChallengePublished',
      ...attempt,
      challenge: { kind: 'tls-alpn-01', host: 'shop.example', fingerprint },
    },
  ],
  ChallengesWithdrawn: [{ type: 'ChallengesWithdrawn', ...attempt }],
  CertificateIssued: [
    { type: 'CertificateIssued', ...attempt, ...facts, renewAt: 1_785_184_000_000 },
  ],
  CertificateImported: [{ type: 'CertificateImported', certificate: 'shop', ...facts }],
  CertificateFailed: [
    {
      type: 'CertificateFailed',
      ...attempt,
      reason: 'shop.example: DNS has no address of ours',
      attempts: 2,
      retryAt: 1_780_000_120_000,
    },
    { type: 'CertificateFailed', ...attempt, reason: 'refused by policy', attempts: 1 },
  ],
  CertificateRevoked: [
    { type: 'CertificateRevoked', certificate: 'shop', fingerprint, reason: 'keyCompromise' },
  ],
  RevocationEnded: [
    { type: 'RevocationEnded', certificate: 'shop', fingerprint, outcome: { kind: 'revoked' } },
    {
      type: 'RevocationEnded',
      certificate: 'shop',
      fingerprint,
      outcome: { kind: 'refused', reason: 'unknown certificate' },
    },
  ],
  CertificateRemoved: [{ type: 'CertificateRemoved', certificate: 'shop' }],
}
