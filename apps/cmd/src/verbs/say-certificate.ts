/** What happened to certificates, in words. Pure. */
import type { AuthorityChallenge, CertificateEvent } from '@gatehouse/domain'
import { sayTime } from './say-time.ts'

/** What the event's name alone does not say. */
export const sayCertificateEvent = (event: CertificateEvent): string => {
  switch (event.type) {
    case 'CertificateRequested':
      return `${REASONS[event.reason]}: ${event.names.join(', ')}`
    case 'ChallengePublished':
      return sayChallenge(event.challenge)
    case 'CertificateIssued':
      return `by ${event.issuer} for ${event.names.join(', ')}, valid until ${sayTime(event.notAfter)}, renewed from ${sayTime(event.renewAt)}`
    case 'CertificateImported':
      return `of ${event.issuer} for ${event.names.join(', ')}, valid until ${sayTime(event.notAfter)}`
    case 'CertificateFailed':
      return `${event.reason}; ${sayRetry(event)}`
    case 'CertificateRevoked':
      return event.reason
    case 'RevocationEnded':
      return event.outcome.kind === 'revoked'
        ? 'its authority has revoked it'
        : `its authority refused: ${event.outcome.reason}`
    case 'ChallengesWithdrawn':
    case 'CertificateRemoved':
      return ''
  }
}

/** When there is another attempt. */
export const sayRetry = (failure: {
  readonly attempts: number
  readonly retryAt?: number
}): string =>
  failure.retryAt === undefined
    ? 'given up'
    : `attempt ${failure.attempts + 1} follows at ${sayTime(failure.retryAt)}`

const REASONS = {
  deploy: 'for a deploy',
  renewal: 'to renew it',
  command: 'by command',
  'on-demand': 'at the first request',
} as const

const sayChallenge = (challenge: AuthorityChallenge): string => {
  switch (challenge.kind) {
    case 'http-01':
    case 'tls-alpn-01':
      return `${challenge.kind} for ${challenge.host}`
  }
}
