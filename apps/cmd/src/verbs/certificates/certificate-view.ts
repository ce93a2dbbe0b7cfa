/** A certificate as `cert list`, `cert show` and `deploy` say how it stands. Pure. */
import { openOrder, type Certificate } from '@gatehouse/domain'
import { sayRetry } from '../say-certificate.ts'
import { isoTime, sayTime } from '../say-time.ts'

export interface CertificateView {
  readonly certificate: string
  readonly state: CertificateState
  readonly names: readonly string[]
  readonly source?: 'issued' | 'imported'
  readonly issuer?: string
  readonly serial?: string
  readonly fingerprint?: string
  readonly notBefore?: string
  readonly notAfter?: string
  readonly renewAt?: string
  readonly revoked?: string
  readonly order?: OrderView
}

export interface OrderView {
  readonly names: readonly string[]
  readonly reason: string
  readonly challenges: number
  readonly attempts: number
  readonly failure?: string
  readonly retryAt?: string
}

/** `missing`: there is none yet, and its order says why. */
export type CertificateState = 'valid' | 'expired' | 'revoked' | 'missing'

export const certificateView = (certificate: Certificate, now: number): CertificateView => {
  const { name, current, order } = certificate
  return {
    certificate: name,
    state: stateOf(certificate, now),
    names: current?.names ?? order?.names ?? [],
    ...(current === undefined ? {} : currentView(current)),
    ...(order === undefined ? {} : { order: orderView(order) }),
  }
}

export const stateOf = ({ current }: Certificate, now: number): CertificateState => {
  if (current === undefined) return 'missing'
  if (current.revoked !== undefined) return 'revoked'
  return current.notAfter <= now ? 'expired' : 'valid'
}

/** What is under way for it; nothing, when nothing is. */
export const sayOrder = (certificate: Certificate): string => {
  const { order } = certificate
  if (order === undefined) return ''
  if (openOrder(certificate) === undefined) return `given up: ${order.failure?.reason ?? ''}`
  return order.failure === undefined
    ? 'on order'
    : `${order.failure.reason}; ${sayRetry(order.failure)}`
}

/** One line on how it stands, for the end of a deploy. */
export const sayStanding = (certificate: Certificate, now: number): string => {
  const { name, current } = certificate
  const state = stateOf(certificate, now)
  const until =
    current === undefined ? 'there is none yet' : `${state}, until ${sayTime(current.notAfter)}`
  const order = sayOrder(certificate)
  return `certificate ${name}: ${until}${order === '' ? '' : `; ${order}`}`
}

const currentView = (
  current: NonNullable<Certificate['current']>,
): Omit<CertificateView, 'certificate' | 'state' | 'names'> => {
  const { source, issuer, serial, fingerprint, notBefore, notAfter, renewAt, revoked } = current
  return {
    source,
    issuer,
    serial,
    fingerprint,
    notBefore: isoTime(notBefore),
    notAfter: isoTime(notAfter),
    ...(renewAt === undefined ? {} : { renewAt: isoTime(renewAt) }),
    ...(revoked === undefined ? {} : { revoked }),
  }
}

const orderView = (order: NonNullable<Certificate['order']>): OrderView => {
  const { names, reason, challenges, failure } = order
  return {
    names,
    reason,
    challenges: challenges.length,
    attempts: failure?.attempts ?? 0,
    ...(failure === undefined ? {} : { failure: failure.reason }),
    ...(failure?.retryAt === undefined ? {} : { retryAt: isoTime(failure.retryAt) }),
  }
}
