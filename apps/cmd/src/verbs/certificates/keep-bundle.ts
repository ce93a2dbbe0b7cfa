/** A bundle that somebody brought, sealed and kept before the event that names it. */
import type { CertificateFacts } from '@gatehouse/domain'
import {
  BUNDLE_PURPOSE,
  createBundleStore,
  createSealer,
  sealBundle,
  type Bundle,
  type SecretKeys,
} from '@gatehouse/events'
import type { Session } from '../../session.ts'

export interface BroughtBundle {
  readonly bundle: Bundle
  readonly facts: CertificateFacts
  readonly keys: SecretKeys
}

export const keepBundle = async (
  { link, fleet }: Session,
  { bundle, facts, keys }: BroughtBundle,
): Promise<void> => {
  const { fingerprint, notAfter } = facts
  const sealed = sealBundle(createSealer(keys, fleet, BUNDLE_PURPOSE), fingerprint, bundle)
  await createBundleStore(link, fleet).write(fingerprint, sealed, notAfter)
}
