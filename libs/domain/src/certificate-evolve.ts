/** What an event does to the certificate that it is about. Total, as all of `evolve` is. */
import type { CertificateEvent, CertificateRequested } from './certificate-event.ts'
import {
  newCertificate,
  REVOCATIONS_MAX,
  type Certificate,
  type CertificateOrder,
} from './certificate.ts'

/** The certificate after the event; undefined when there is none, or none any more. */
export const evolveCertificate = (
  before: Certificate | undefined,
  event: CertificateEvent,
): Certificate | undefined => {
  switch (event.type) {
    case 'CertificateRequested':
      return request(before, event)
    case 'CertificateImported': {
      const { type: _, certificate, ...facts } = event
      return {
        ...(before ?? newCertificate(certificate, 'command')),
        current: { ...facts, source: 'imported', revoked: undefined },
        order: undefined,
      }
    }
    case 'CertificateIssued': {
      if (before?.order?.generation !== event.generation) return before
      const { type: _, certificate: __, generation: ___, ...facts } = event
      return {
        ...before,
        current: { ...facts, source: 'issued', revoked: undefined },
        order: undefined,
      }
    }
    case 'ChallengePublished':
      return changeOrder(before, event, (order) => ({
        ...order,
        challenges: [...order.challenges, event.challenge],
      }))
    case 'ChallengesWithdrawn':
      return changeOrder(before, event, (order) => ({ ...order, challenges: [] }))
    case 'CertificateFailed':
      return changeOrder(before, event, (order) => {
        const { reason, attempts, retryAt } = event
        const failure = { reason, attempts, ...(retryAt === undefined ? {} : { retryAt }) }
        return { ...order, challenges: [], failure }
      })
    case 'CertificateRevoked': {
      if (before === undefined) return before
      const { fingerprint, reason } = event
      return {
        ...before,
        current:
          before.current?.fingerprint === fingerprint
            ? { ...before.current, revoked: reason }
            : before.current,
        revocations: [...withoutRevocation(before, fingerprint), { fingerprint, reason }].slice(
          -REVOCATIONS_MAX,
        ),
      }
    }
    case 'RevocationEnded':
      return before && { ...before, revocations: withoutRevocation(before, event.fingerprint) }
    case 'CertificateRemoved':
      return undefined
  }
}

const request = (
  before: Certificate | undefined,
  { certificate, names, generation, reason }: CertificateRequested,
): Certificate => {
  const order: CertificateOrder = { generation, names, reason, challenges: [], failure: undefined }
  if (before === undefined) {
    return { ...newCertificate(certificate, reason === 'renewal' ? 'command' : reason), order }
  }
  return { ...before, origin: reason === 'deploy' ? 'deploy' : before.origin, order }
}

const changeOrder = (
  before: Certificate | undefined,
  { generation }: { readonly generation: number },
  change: (order: CertificateOrder) => CertificateOrder,
): Certificate | undefined =>
  before?.order?.generation === generation ? { ...before, order: change(before.order) } : before

const withoutRevocation = (
  { revocations }: Certificate,
  fingerprint: string,
): Certificate['revocations'] => revocations.filter((each) => each.fingerprint !== fingerprint)
