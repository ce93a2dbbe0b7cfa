/**
 * What a CA says about when to renew (ARI, RFC 9773): a window, in which a moment is picked at random, so
 * that a CA that has to revoke millions of certificates can have them replaced in good order before.
 */
import { z } from 'zod'
import type { AcmeConnection } from './connection.ts'
import { AcmeFailure } from './problem.ts'

export interface RenewalAdvice {
  /** Unix milliseconds. */
  readonly renewAt: number
  /** When to ask again, in Unix milliseconds. */
  readonly askAgainAt: number
  /** Where the CA explains it to people. */
  readonly explanation?: string
}

const ASK_AGAIN_MS = 6 * 3_600_000
/** RFC 9773 §4.3.2: bounds that a client sets for itself. */
const ASK_AGAIN_MS_MIN = 60_000
const ASK_AGAIN_MS_MAX = 86_400_000

const renewalInfo = z.object({
  suggestedWindow: z.object({
    start: z.iso.datetime({ offset: true }),
    end: z.iso.datetime({ offset: true }),
  }),
  explanationURL: z.url().optional(),
})

/**
 * `endpoint` is what the directory has under `renewalInfo`, `id` the certificate's (`certificateIdOf`),
 * `random` from 0 to 1. Throws `AcmeFailure` when the CA has no advice.
 */
export const askForRenewal = async (
  connection: AcmeConnection,
  endpoint: string,
  id: string,
  random: number,
  signal: AbortSignal,
): Promise<RenewalAdvice> => {
  const { body, retryAfterMs } = await connection.get(
    `${endpoint.replace(/\/$/, '')}/${id}`,
    signal,
  )
  const found = parse(body)
  const start = Date.parse(found?.suggestedWindow.start ?? '')
  const end = Date.parse(found?.suggestedWindow.end ?? '')
  // §4.2: a window that ends before it begins is no advice.
  if (!(start < end)) throw new AcmeFailure('the CA gave no window for a renewal')
  const explanation = found?.explanationURL
  return {
    renewAt: Math.round(start + (end - start) * random),
    askAgainAt: Date.now() + clamp(retryAfterMs ?? ASK_AGAIN_MS),
    ...(explanation === undefined ? {} : { explanation }),
  }
}

const clamp = (ms: number): number => Math.min(Math.max(ms, ASK_AGAIN_MS_MIN), ASK_AGAIN_MS_MAX)

const parse = (body: string): z.infer<typeof renewalInfo> | undefined => {
  try {
    return renewalInfo.safeParse(JSON.parse(body)).data
  } catch {
    return undefined
  }
}
