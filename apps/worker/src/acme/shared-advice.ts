/**
 * A CA's advice on renewals, asked for by one worker and kept for all of them, so that the CA hears one
 * question however many workers there are, and picks one moment for all of them.
 */
import { fleetTag, type RedisLink } from '@gatehouse/events'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { RenewalAdvice } from './renewal-info.ts'

export type SharedAdvice = z.infer<typeof sharedAdvice>

const sharedAdvice = z.object({
  /** Unix milliseconds; absent when the CA has no advice. */
  renewAt: z.int().exactOptional(),
  /** When to ask again, in Unix milliseconds. */
  askAgainAt: z.int(),
})

export interface AdviceOptions {
  readonly link: RedisLink
  readonly fleet: string
  /** Throws when the CA does not answer. */
  readonly ask: (fingerprint: string) => Promise<RenewalAdvice | undefined>
  readonly logger: Logger
}

/** For a CA that has no advice, or did not answer. */
const ASK_AGAIN_MS = 3_600_000
/** For as long another worker may be asking. */
const CLAIM_MS = 60_000

export const shareAdvice =
  ({ link: { client }, fleet, ask, logger }: AdviceOptions) =>
  async (fingerprint: string): Promise<SharedAdvice> => {
    const key = `${fleetTag(fleet)}:acme:advice:${fingerprint}`
    const claim = JSON.stringify({ askAgainAt: Date.now() + CLAIM_MS })
    const claimed = await client.set(key, claim, 'PX', CLAIM_MS, 'NX')
    if (claimed === null) return readAdvice(await client.get(key))
    const answer = await ask(fingerprint).catch((error: unknown) => {
      logger.warn({ err: error, fingerprint }, 'the authority gave no advice on a renewal')
      return undefined
    })
    if (answer?.explanation !== undefined) {
      logger.info({ fingerprint, ...answer }, 'the authority explains when to renew')
    }
    const advice: SharedAdvice =
      answer === undefined
        ? { askAgainAt: Date.now() + ASK_AGAIN_MS }
        : { renewAt: answer.renewAt, askAgainAt: answer.askAgainAt }
    const keptMs = Math.max(1, advice.askAgainAt - Date.now())
    await client.set(key, JSON.stringify(advice), 'PX', keptMs)
    return advice
  }

const readAdvice = (kept: string | null): SharedAdvice => {
  const read = kept === null ? undefined : sharedAdvice.safeParse(JSON.parse(kept)).data
  return read ?? { askAgainAt: Date.now() + CLAIM_MS }
}
