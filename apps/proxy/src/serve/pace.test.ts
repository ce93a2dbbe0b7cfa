import { expect, it } from 'vitest'
import { Pace } from './pace.ts'

const started = (): Pace => {
  const pace = new Pace({ requestPaceGraceMs: 10_000, requestBytesPerSecondMin: 500 })
  pace.begin()
  return pace
}

it('P2 waits for the first byte as long as others say, and from then on for the grace', () => {
  const pace = started()
  expect(pace.tooSlow(1_000_000)).toBe(false)
  pace.took(1, 1_000_000)
  expect(pace.tooSlow(1_010_000)).toBe(false)
  expect(pace.tooSlow(1_010_003)).toBe(true)
})

it('P2 gives time for bytes, and never ends who keeps the pace', () => {
  const pace = started()
  for (let second = 1; second <= 3_600; second += 1) {
    pace.took(500, second * 1_000)
    expect(pace.tooSlow(second * 1_000)).toBe(false)
  }
})

it('P2 notices one byte every nine seconds', () => {
  const pace = started()
  const slow = [1, 2, 3].map((n) => {
    pace.took(1, n * 9_000)
    return pace.tooSlow(n * 9_000)
  })
  expect(slow).toEqual([false, false, true])
})

it('does not count time in which the target was waited for', () => {
  const pace = started()
  pace.took(1, 1_000)
  pace.halt(2_000)
  pace.halt(3_000)
  pace.goOn(62_000)
  pace.goOn(63_000)
  expect(pace.tooSlow(71_000)).toBe(false)
  expect(pace.tooSlow(71_003)).toBe(true)
})

it('lets any pace do when the minimum is 0', () => {
  const pace = new Pace({ requestPaceGraceMs: 10_000, requestBytesPerSecondMin: 0 })
  pace.begin()
  pace.took(1, 1)
  expect(pace.tooSlow(Number.MAX_SAFE_INTEGER)).toBe(false)
})

it('waits for the first byte of a body whose head alone had to wait', () => {
  const pace = started()
  pace.halt(1_000)
  pace.goOn(2_000)
  expect(pace.tooSlow(60_000)).toBe(false)
})
