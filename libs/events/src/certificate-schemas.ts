/** The form of every event about a certificate, in its current version. */
import type { CertificateEvent } from '@gatehouse/domain'
import { z } from 'zod'

const name = z.string().min(1)
const names = z.array(name).readonly()
const count = z.int().nonnegative()
const time = z.int().nonnegative()
const facts = {
  names,
  fingerprint: name,
  serial: name,
  issuer: z.string(),
  notBefore: time,
  notAfter: time,
}
const attempt = { certificate: name, generation: count }

const challengeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('http-01'),
    host: name,
    token: name,
    keyAuthorization: name,
  }),
  z.strictObject({ kind: z.literal('tls-alpn-01'), host: name, fingerprint: name }),
])

const revocationReason = z.enum([
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
])

/** The compiler proves the table complete, and every schema true to its event. */
export const certificateSchemas = {
  CertificateRequested: z.strictObject({
    type: z.literal('CertificateRequested'),
    ...attempt,
    names,
    reason: z.enum(['deploy', 'renewal', 'command', 'on-demand']),
  }),
  ChallengePublished: z.strictObject({
    type: z.literal('ChallengePublished'),
    ...attempt,
    challenge: challengeSchema,
  }),
  ChallengesWithdrawn: z.strictObject({ type: z.literal('ChallengesWithdrawn'), ...attempt }),
  CertificateIssued: z.strictObject({
    type: z.literal('CertificateIssued'),
    ...attempt,
    ...facts,
    renewAt: time,
  }),
  CertificateImported: z.strictObject({
    type: z.literal('CertificateImported'),
    certificate: name,
    ...facts,
  }),
  CertificateFailed: z.strictObject({
    type: z.literal('CertificateFailed'),
    ...attempt,
    reason: z.string(),
    attempts: count,
    retryAt: time.exactOptional(),
  }),
  CertificateRevoked: z.strictObject({
    type: z.literal('CertificateRevoked'),
    certificate: name,
    fingerprint: name,
    reason: revocationReason,
  }),
  RevocationEnded: z.strictObject({
    type: z.literal('RevocationEnded'),
    certificate: name,
    fingerprint: name,
    outcome: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('revoked') }),
      z.strictObject({ kind: z.literal('refused'), reason: z.string() }),
    ]),
  }),
  CertificateRemoved: z.strictObject({
    type: z.literal('CertificateRemoved'),
    certificate: name,
  }),
} satisfies {
  [Type in CertificateEvent['type']]: z.ZodType<Extract<CertificateEvent, { type: Type }>>
}
