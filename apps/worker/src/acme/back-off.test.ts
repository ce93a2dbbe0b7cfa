import { describe, expect, it } from 'vitest'
import { pauseAfter } from './back-off.ts'
import { AcmeFailure, AcmeRefusal, parseRetryAfter } from './problem.ts'

const failure = new AcmeFailure('no')
const refusal = (type: string, retryAfterMs?: number): AcmeRefusal =>
  new AcmeRefusal('no', { status: 429, type, retryAfterMs })
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

describe('the pause after a failed attempt', () => {
  it('F11 doubles from a minute to half a day', () => {
    const pauses = [1, 2, 3, 4, 10, 11, 12, 400].map((attempts) => pauseAfter(failure, attempts, 0))
    expect(pauses).toEqual([1, 2, 4, 8, 512, 720, 720, 720].map((minutes) => minutes * MINUTE_MS))
  })

  it('O4 is spread over a quarter of itself', () => {
    expect(pauseAfter(failure, 1, 1)).toBe(75_000)
  })

  it('O4 is as long as the CA asks for, and at most a week', () => {
    expect(pauseAfter(refusal('rateLimited', HOUR_MS), 1, 0)).toBe(HOUR_MS)
    expect(pauseAfter(refusal('rateLimited', 1_000), 1, 0)).toBe(MINUTE_MS)
    expect(pauseAfter(refusal('rateLimited', 9_999 * HOUR_MS), 1, 0)).toBe(168 * HOUR_MS)
  })

  it('does not end for names that the CA never issues for', () => {
    expect(pauseAfter(refusal('rejectedIdentifier'), 1, 0)).toBeUndefined()
  })
})

describe('Retry-After', () => {
  it('is a number of seconds or a date', () => {
    const now = Date.parse('2026-11-21T18:00:00Z')
    expect(parseRetryAfter('120', now)).toBe(120_000)
    expect(parseRetryAfter('Sat, 21 Nov 2026 18:01:00 GMT', now)).toBe(MINUTE_MS)
    for (const nothing of [undefined, '0', '-1', 'soon', 'Sat, 21 Nov 2026 17:00:00 GMT']) {
      expect(parseRetryAfter(nothing, now)).toBeUndefined()
    }
  })
})
