/**
 * Where this proxy has its bundles from: its own sealed copies first, so that it serves TLS while Redis is
 * away, and Redis for what it has not seen yet. A fingerprint names one bundle for ever, so that a copy is
 * never old.
 */
import { setTimeout as delay } from 'node:timers/promises'
import {
  openBundle,
  sealBundle,
  type BundleCache,
  type OpenedBundle,
  type SealedBundles,
  type Sealer,
} from '@gatehouse/events'
import type { BundleSource } from './fleet-certificates.ts'

export interface BundleSourceParts {
  readonly store: Pick<SealedBundles, 'read'>
  readonly cache: BundleCache
  /** Undefined: nobody has told us the fleet's secret key. */
  readonly sealer: Sealer | undefined
  /** A copy could not be kept: it serves now, and not after a start without Redis. */
  readonly onCacheTrouble: (why: string) => void
}

/** A Redis that hangs is one that is away. */
const READ_MS_MAX = 5_000

export const createBundleSource = (parts: BundleSourceParts): BundleSource => {
  const { store, cache, sealer, onCacheTrouble } = parts

  const tryCache = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => onCacheTrouble(messageOf(error)))

  /** What is kept under an older key is sealed anew, before that key is taken away. */
  const fromCache = async (own: Sealer, fingerprint: string): Promise<OpenedBundle> => {
    const sealed = await cache.read(fingerprint).catch((error: unknown) => {
      onCacheTrouble(messageOf(error))
      return undefined
    })
    const opened = openBundle(own, fingerprint, sealed)
    if (opened.kind === 'bundle' && sealed !== undefined && !own.isCurrent(sealed)) {
      const anew = sealBundle(own, fingerprint, opened.bundle)
      await tryCache(cache.write(fingerprint, anew, 0))
    }
    return opened
  }

  return {
    read: async (fingerprint) => {
      if (sealer === undefined) {
        throw new Error(
          'no secret key is known to unseal it with: GATEHOUSE_SECRET_KEY_FILE or GATEHOUSE_SECRET_KEY sets the one of the fleet',
        )
      }
      const kept = await fromCache(sealer, fingerprint)
      if (kept.kind === 'bundle') return kept.bundle
      const sealed = await inTime(store.read(fingerprint))
      const opened = openBundle(sealer, fingerprint, sealed)
      if (opened.kind === 'missing') return undefined
      if (opened.kind === 'refused') throw new Error(`its bundle ${opened.why}`)
      if (sealed !== undefined) await tryCache(cache.write(fingerprint, sealed, 0))
      return opened.bundle
    },
    forget: async (fingerprint) => {
      await tryCache(cache.remove(fingerprint))
    },
  }
}

/** Throws when Redis does not answer. */
const inTime = async <Value>(work: Promise<Value>): Promise<Value> => {
  const waiting = new AbortController()
  const late = async (): Promise<never> => {
    await delay(READ_MS_MAX, undefined, { signal: waiting.signal })
    throw new Error('it is not kept here yet, and Redis does not answer')
  }
  const lateness = late()
  lateness.catch(() => undefined)
  try {
    return await Promise.race([work, lateness])
  } finally {
    waiting.abort()
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
