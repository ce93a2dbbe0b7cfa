import { describe, expect, it } from 'vitest'
import { countAttempt, crossingOf } from './target-counts.ts'

const thresholds = { rise: 2, fall: 3 }
const after = (...attempts: readonly boolean[]): number =>
  attempts.reduce((count, passed) => countAttempt(count, passed, thresholds), 0)

describe('the health of one target over time', () => {
  it('B9 falls after `fall` failures in a row, not before', () => {
    expect(crossingOf(after(false, false), false, thresholds)).toBeUndefined()
    expect(crossingOf(after(false, false, false), false, thresholds)).toBe('down')
  })

  it('B9 rises after `rise` passes in a row, not before', () => {
    expect(crossingOf(after(false, true), true, thresholds)).toBeUndefined()
    expect(crossingOf(after(false, true, true), true, thresholds)).toBe('up')
  })

  it('counts from the start again after an attempt of the other kind', () => {
    expect(crossingOf(after(false, false, true, false, false), false, thresholds)).toBeUndefined()
    expect(crossingOf(after(true, false, true), true, thresholds)).toBeUndefined()
  })

  it('does not fall twice, nor rise when it is up', () => {
    expect(crossingOf(after(false, false, false, false), true, thresholds)).toBeUndefined()
    expect(crossingOf(after(true, true, true), false, thresholds)).toBeUndefined()
  })

  it('stays the same number in a steady state, so that nothing is written', () => {
    expect(after(...Array.from({ length: 50 }, () => true))).toBe(thresholds.rise)
    expect(after(...Array.from({ length: 50 }, () => false))).toBe(-thresholds.fall)
  })
})
