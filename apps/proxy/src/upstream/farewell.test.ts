import { expect, it } from 'vitest'
import { createWheel, TICK_MS } from '../wheel.ts'
import { Farewell } from './farewell.ts'
import { NOWHERE, WorkList, type UpgradedWork } from './work-list.ts'

/** When each of `count` connections was asked, in milliseconds since the beginning. */
const askedAt = (count: number, withinMs: number): readonly number[] => {
  let clock = 0
  const wheel = createWheel({ now: () => clock })
  const upgraded = new WorkList<UpgradedWork>()
  const asked: number[] = []
  for (let n = 0; n < count; n += 1) {
    const work = {
      place: NOWHERE,
      mayRetire: true,
      retire: () => {
        work.mayRetire = false
        asked.push(clock)
      },
      cut: () => {},
    }
    upgraded.enter(work)
  }
  new Farewell(wheel, upgraded).begin(withinMs)
  for (; clock < withinMs; clock += TICK_MS) wheel.advance()
  return asked
}

it('A9 asks everybody once, evenly over its window, and leaves the last of the time for answers', () => {
  for (const withinMs of [1_000, 10_000, 30_000]) {
    const asked = askedAt(1_000, withinMs)
    expect(asked).toHaveLength(1_000)
    const slots = Map.groupBy(asked, (at) => at)
    const windowMs = Math.max(withinMs / 4, withinMs / 2 - 5_000)
    expect(slots.size).toBe(Math.max(1, Math.floor(windowMs / (2 * TICK_MS))))
    for (const [, each] of slots) expect(each.length).toBeLessThan(1_000 / slots.size + 2)
    expect(Math.min(...asked)).toBeGreaterThan(withinMs / 2 - TICK_MS)
    expect(Math.max(...asked)).toBeLessThanOrEqual(withinMs / 2 + windowMs + 3 * TICK_MS)
  }
})

it('A9 leaves it to chance when a single connection is asked, so that many proxies differ', () => {
  const moments = Array.from({ length: 300 }, () => askedAt(1, 4_000)).flat()
  expect(moments).toHaveLength(300)
  const slots = Map.groupBy(moments, (at) => at)
  expect(slots.size).toBe(5)
  for (const [, each] of slots) expect(each.length).toBeLessThan(120)
})
