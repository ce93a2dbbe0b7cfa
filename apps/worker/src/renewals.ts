/**
 * Which certificates are due: asked of the state as soon as the worker has caught up, and every few seconds
 * from then on. A certificate is due at two thirds of its life, or earlier when its authority advises so.
 * Several workers may find the same one: the domain takes the first request for it.
 */
import { isKept, renewalsDue, type Certificate, type Gateway } from '@gatehouse/domain'
import type { Logger } from 'pino'
import type { SharedAdvice } from './acme/shared-advice.ts'

export interface Renewals {
  /** Called whenever the state may have moved, and now and then. */
  readonly look: () => void
}

export interface RenewalsOptions {
  readonly gateway: Gateway
  /** Nothing is ordered while the history in Redis is another one. */
  readonly isTrusted: () => boolean
  /** Asks for the renewal of what has that fingerprint. */
  readonly request: (certificate: string, fingerprint: string) => Promise<void>
  /** The authority's advice on what has that fingerprint. */
  readonly advise: (fingerprint: string) => Promise<SharedAdvice>
  readonly logger: Logger
}

const LOOK_EVERY_MS = 1_000
/** More are found at the next looks: renewals that are late all together come one after the other. */
const AT_ONCE_MAX = 20
/** Questions to the authority in one look. */
const ADVICE_AT_ONCE_MAX = 5
export const createRenewals = (options: RenewalsOptions): Renewals => {
  const { gateway, isTrusted, request, logger } = options
  /** By fingerprint; those that are not served any more are forgotten. */
  const advised = new Map<string, SharedAdvice>()
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let busy = false

  const lookAround = async (): Promise<void> => {
    const now = Date.now()
    const early = [...gateway.certificates.values()].filter((each) => isAdvised(each, advised, now))
    const due = new Set([
      ...renewalsDue(gateway, now),
      ...early.filter((each) => isKept(each, gateway)),
    ])
    for (const { name, current } of [...due].slice(0, AT_ONCE_MAX)) {
      if (current !== undefined) await request(name, current.fingerprint)
    }
    // Last, because an authority may take its time.
    await askForAdvice(options, advised, now)
  }

  return {
    look: () => {
      const nowMs = performance.now()
      if (busy || !isTrusted() || nowMs - lookedAtMs < LOOK_EVERY_MS) return
      lookedAtMs = nowMs
      busy = true
      lookAround()
        .catch((error: unknown) => {
          logger.warn({ err: error }, 'renewals were not looked for; the next look does it')
        })
        .finally(() => (busy = false))
    },
  }
}

const isAdvised = (
  { current, order }: Certificate,
  advised: ReadonlyMap<string, SharedAdvice>,
  now: number,
): boolean =>
  order === undefined &&
  current !== undefined &&
  (advised.get(current.fingerprint)?.renewAt ?? Number.POSITIVE_INFINITY) <= now

const askForAdvice = async (
  { gateway, advise }: RenewalsOptions,
  advised: Map<string, SharedAdvice>,
  now: number,
): Promise<void> => {
  const issued = [...gateway.certificates.values()].flatMap(({ current, order }) =>
    current?.source === 'issued' && order === undefined ? [current.fingerprint] : [],
  )
  const served = new Set(issued)
  for (const fingerprint of advised.keys())
    if (!served.has(fingerprint)) advised.delete(fingerprint)
  const asked = issued.filter((each) => (advised.get(each)?.askAgainAt ?? 0) <= now)
  for (const fingerprint of asked.slice(0, ADVICE_AT_ONCE_MAX)) {
    advised.set(fingerprint, await advise(fingerprint))
  }
}
