/** From an order to its end, as a worker reports it: the certificate, or why there is none yet. */
import type { CertificateEvent, CertificateFailed, CertificateIssued } from '@gatehouse/domain'
import type { Place } from '@gatehouse/events'
import type { Session } from '../../session.ts'
import { sayCertificateEvent } from '../say-certificate.ts'

export interface AwaitedOrder {
  readonly certificate: string
  readonly generation: number
  /** A place before the order, or after it and before its end. */
  readonly after: Place
  readonly timeoutMs: number
}

export type OrderEnd =
  | { readonly kind: 'issued'; readonly event: CertificateIssued }
  | { readonly kind: 'failed'; readonly event: CertificateFailed }
  /** Another order, a bundle of somebody's, or a removal took its place. */
  | { readonly kind: 'replaced'; readonly by: CertificateEvent['type'] }
  | { readonly kind: 'pending'; readonly workers: readonly string[] }

/** Throws the signal's reason on Ctrl-C, `ControlPlaneUnreachable` when Redis stays away. */
export const awaitOrder = async (session: Session, order: AwaitedOrder): Promise<OrderEnd> => {
  const { output, interrupted, log } = session
  const workers = await liveWorkers(session)
  if (workers.length === 0) {
    output.warn('no worker is running, so nobody orders the certificate; waiting for one')
  }
  output.now(`certificate ${order.certificate} is on order`)
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(order.timeoutMs)])
  for await (const batch of log.follow(order.after, signal)) {
    for (const each of batch) {
      if (each.kind !== 'recorded' || each.recorded.kind !== 'event') continue
      const { event } = each.recorded
      if (!('certificate' in event) || event.certificate !== order.certificate) continue
      if (event.type === 'ChallengePublished') {
        output.step(`the proxies answer ${sayCertificateEvent(event)}`)
      }
      const end = endBy(event, order.generation)
      if (end !== undefined) return end
    }
  }
  interrupted.throwIfAborted()
  return { kind: 'pending', workers: await liveWorkers(session) }
}

const endBy = (event: CertificateEvent, generation: number): OrderEnd | undefined => {
  switch (event.type) {
    case 'CertificateIssued':
      return event.generation === generation ? { kind: 'issued', event } : undefined
    case 'CertificateFailed':
      return event.generation === generation ? { kind: 'failed', event } : undefined
    case 'CertificateRequested':
      return event.generation > generation ? { kind: 'replaced', by: event.type } : undefined
    case 'CertificateImported':
    case 'CertificateRemoved':
      return { kind: 'replaced', by: event.type }
    case 'ChallengePublished':
    case 'ChallengesWithdrawn':
    case 'CertificateRevoked':
    case 'RevocationEnded':
      return undefined
  }
}

const liveWorkers = async ({ readFleet }: Session): Promise<readonly string[]> =>
  (await readFleet()).workers.filter(({ live }) => live).map(({ id }) => id)
