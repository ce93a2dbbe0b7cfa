/** What came of an order: checked before any proxy gets to see it. */
import type { CertificateFacts } from '@gatehouse/domain'
import { readBundle, type Bundle } from '@gatehouse/events'
import { AcmeFailure } from './problem.ts'

/** At this part of its life a certificate is ordered anew … */
const LIFE_BEFORE_RENEWAL = 2 / 3
/** … or earlier by up to this part, so that certificates which began together do not end together. */
const SPREAD = 0.03

/** Throws `AcmeFailure` when the certificate does not fit the key or the names that it was ordered for. */
export const checkIssued = (
  bundle: Bundle,
  names: readonly string[],
): { readonly bundle: Bundle; readonly facts: CertificateFacts } => {
  const read = readBundle(bundle, { now: Date.now(), hosts: names })
  if (read.kind === 'bundle') return read
  throw new AcmeFailure(`the CA issued what cannot be served: the ${read.part} ${read.problem}`)
}

/** When the next one should be ordered, in Unix milliseconds. `random` from 0 to 1. */
export const renewalAt = (
  { notBefore, notAfter }: Pick<CertificateFacts, 'notBefore' | 'notAfter'>,
  random: number,
): number =>
  Math.round(notBefore + (notAfter - notBefore) * (LIFE_BEFORE_RENEWAL - SPREAD * random))
