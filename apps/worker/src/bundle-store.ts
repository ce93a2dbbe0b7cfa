/** Chains with their keys, sealed, where every proxy finds them by their fingerprint. */
import { X509Certificate } from 'node:crypto'
import {
  BUNDLE_PURPOSE,
  createBundleStore,
  createSealer,
  factsOf,
  openBundle,
  sealBundle,
  type Bundle,
  type RedisLink,
  type Sealer,
  type SecretKeys,
} from '@gatehouse/events'
import { AcmeFailure } from './acme/problem.ts'

export interface BundleStore {
  /** Answers with the fingerprint. */
  readonly save: (bundle: Bundle) => Promise<string>
  /** Undefined when it is not kept any more. Throws `AcmeFailure` when it cannot be opened. */
  readonly load: (fingerprint: string) => Promise<Bundle | undefined>
  readonly remove: (fingerprint: string) => Promise<void>
}

export const openBundleStore = (
  link: RedisLink,
  fleet: string,
  keys: SecretKeys | undefined,
): BundleStore => {
  const sealer = sealerFor(keys, fleet, BUNDLE_PURPOSE)
  const store = createBundleStore(link, fleet)
  return {
    save: async (bundle) => {
      const { fingerprint, notAfter } = factsOf(new X509Certificate(bundle.chain))
      await store.write(fingerprint, sealBundle(sealer, fingerprint, bundle), notAfter)
      return fingerprint
    },
    load: async (fingerprint) => {
      const opened = openBundle(sealer, fingerprint, await store.read(fingerprint))
      switch (opened.kind) {
        case 'bundle':
          return opened.bundle
        case 'missing':
          return undefined
        case 'refused':
          throw new AcmeFailure(`the bundle ${fingerprint} ${opened.why}`)
      }
    },
    remove: (fingerprint) => store.remove(fingerprint),
  }
}

/** Without a secret a worker does everything else; an order says what it lacks when it comes to keys. */
export const sealerFor = (keys: SecretKeys | undefined, fleet: string, purpose: string): Sealer => {
  if (keys !== undefined) return createSealer(keys, fleet, purpose)
  const refuse = (): never => {
    throw new AcmeFailure(
      'the workers have no secret key to seal private keys with: set GATEHOUSE_SECRET_KEY_FILE or GATEHOUSE_SECRET_KEY, the same for the whole fleet',
    )
  }
  return { seal: refuse, unseal: refuse, isCurrent: refuse }
}
