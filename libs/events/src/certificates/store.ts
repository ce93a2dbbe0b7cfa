/**
 * Bundles as they lie in Redis: sealed, each under the fingerprint of its certificate, so that what is
 * there never changes. A bundle is written before the event that names it, and goes by itself some
 * time after its certificate is over.
 */
import { fleetTag } from '../redis-log.ts'
import { using, type RedisLink } from '../redis.ts'
import type { Bundle } from './bundle.ts'
import type { Sealer } from './seal.ts'

/** Where sealed bundles are kept: a fleet's Redis, or the folder of a proxy. */
export interface SealedBundles {
  readonly read: (fingerprint: string) => Promise<string | undefined>
  /** `notAfter` of the certificate, in Unix milliseconds. */
  readonly write: (fingerprint: string, sealed: string, notAfter: number) => Promise<void>
  readonly remove: (fingerprint: string) => Promise<void>
}

export type OpenedBundle =
  | { readonly kind: 'bundle'; readonly bundle: Bundle }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly why: string }

/** The purpose that bundles are sealed for. */
export const BUNDLE_PURPOSE = 'bundle'
/** A proxy that was away for this long still finds what the log names. */
const KEPT_AFTER_MS = 30 * 24 * 3_600_000

/** Throws `ControlPlaneUnreachable` or `ControlPlaneUnfit`. */
export const createBundleStore = (link: RedisLink, fleet: string): SealedBundles => ({
  read: (fingerprint) =>
    using(link, async (client) => (await client.get(keyOf(fleet, fingerprint))) ?? undefined),
  write: (fingerprint, sealed, notAfter) =>
    using(link, async (client) => {
      await client.set(keyOf(fleet, fingerprint), sealed, 'PXAT', notAfter + KEPT_AFTER_MS)
    }),
  remove: (fingerprint) =>
    using(link, async (client) => {
      await client.del(keyOf(fleet, fingerprint))
    }),
})

export const sealBundle = (sealer: Sealer, fingerprint: string, bundle: Bundle): string =>
  sealer.seal(fingerprint, JSON.stringify(bundle))

export const openBundle = (
  sealer: Sealer,
  fingerprint: string,
  sealed: string | undefined,
): OpenedBundle => {
  if (sealed === undefined) return { kind: 'missing' }
  const unsealed = sealer.unseal(fingerprint, sealed)
  if (unsealed.kind === 'refused') return unsealed
  // Whoever sealed it had the fleet's key, and is believed.
  const { chain, key }: Bundle = JSON.parse(unsealed.secret)
  return { kind: 'bundle', bundle: { chain, key } }
}

export type Resealed =
  | { readonly kind: 'resealed' | 'current' | 'missing' }
  | { readonly kind: 'refused'; readonly why: string }

/** Seals a bundle anew with the key that seals now, when an older one did. */
export const resealBundle = async (
  store: SealedBundles,
  sealer: Sealer,
  fingerprint: string,
  notAfter: number,
): Promise<Resealed> => {
  const sealed = await store.read(fingerprint)
  if (sealed === undefined) return { kind: 'missing' }
  if (sealer.isCurrent(sealed)) return { kind: 'current' }
  const unsealed = sealer.unseal(fingerprint, sealed)
  if (unsealed.kind === 'refused') return unsealed
  await store.write(fingerprint, sealer.seal(fingerprint, unsealed.secret), notAfter)
  return { kind: 'resealed' }
}

const keyOf = (fleet: string, fingerprint: string): string =>
  `${fleetTag(fleet)}:cert:${fingerprint}`
