/** Advice on renewals from an authority that gives it, shared by workers on a real Redis. */
import { randomUUID } from 'node:crypto'
import { openRedis } from '@gatehouse/events'
import { pino } from 'pino'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { openConnection } from '../../../apps/worker/src/acme/connection.ts'
import { askForRenewal, type RenewalAdvice } from '../../../apps/worker/src/acme/renewal-info.ts'
import { shareAdvice } from '../../../apps/worker/src/acme/shared-advice.ts'
import { startCaFront, type CaFront } from '../../support/ca-front.ts'
import { cert } from '../../support/self-signed.ts'

const link = openRedis(inject('redisUrl'), { name: 'renewal-advice' })
afterAll(() => link.close())
const never = new AbortController().signal

const askOnce = async (ca: CaFront, random = 0.5): Promise<RenewalAdvice> => {
  await using connection = openConnection(cert)
  const endpoint = ca.directory.replace('/directory', '/renewal-info')
  return await askForRenewal(connection, endpoint, 'key.serial', random, never)
}

describe('the advice of an authority', { concurrent: true }, () => {
  it('O3 is a moment in its window, and when to ask again is what it says', async () => {
    await using ca = await startCaFront()
    ca.startsInMs = -10_000
    ca.retryAfterSeconds = 7_200
    const before = Date.now()
    const advice = await askOnce(ca, 0.25)
    expect(advice.renewAt).toBeGreaterThanOrEqual(before - 10_000 + 250)
    expect(advice.renewAt).toBeLessThan(Date.now() - 9_000)
    expect(advice.askAgainAt).toBeGreaterThanOrEqual(before + 7_200_000)
    expect(advice.explanation).toBe('https://ca.test/why')
    expect(ca.asked).toEqual(['key.serial'])
  })

  it.each([
    [1, 60_000],
    [31_536_000, 86_400_000],
  ])('O3 that is to be asked for again in %i s is in %i ms', async (seconds, ms) => {
    await using ca = await startCaFront()
    ca.retryAfterSeconds = seconds
    const before = Date.now()
    const { askAgainAt } = await askOnce(ca)
    expect(askAgainAt).toBeGreaterThanOrEqual(before + ms)
    expect(askAgainAt).toBeLessThan(Date.now() + ms + 1)
  })

  it('O3 is asked for by one worker, and known to all', async () => {
    await using ca = await startCaFront()
    const fleet = `test-${randomUUID().slice(0, 8)}`
    const ask = () => askOnce(ca)
    const logger = pino({ level: 'silent' })
    const [one, other] = [1, 2].map(() => shareAdvice({ link, fleet, ask, logger }))
    const first = await one?.('fingerprint')
    expect(first?.renewAt).toBeTypeOf('number')
    expect(await other?.('fingerprint')).toEqual(first)
    expect(ca.asked).toHaveLength(1)
  })

  it('is not asked for again soon from one that does not answer', async () => {
    await using ca = await startCaFront()
    ca.adviceStatus = 500
    const fleet = `test-${randomUUID().slice(0, 8)}`
    const advise = shareAdvice({
      link,
      fleet,
      ask: () => askOnce(ca),
      logger: pino({ level: 'silent' }),
    })
    const before = Date.now()
    const answer = await advise('fingerprint')
    expect(answer.renewAt).toBeUndefined()
    expect(answer.askAgainAt).toBeGreaterThanOrEqual(before + 3_600_000)
    expect(await advise('fingerprint')).toEqual(answer)
    expect(ca.asked).toHaveLength(1)
  })
})
