import { describe, expect, it } from 'vitest'
import { createWheel, Timer, type Wheel } from './wheel.ts'

const world = () => {
  let clock = 1_000
  const wheel = createWheel({ now: () => clock, tickMs: 100 })
  const fired: string[] = []
  return {
    wheel,
    fired,
    pass: (ms: number) => {
      for (const end = clock + ms; clock < end; wheel.advance()) clock = Math.min(end, clock + 100)
    },
    stall: (ms: number) => {
      clock += ms
    },
    timer: (name: string, then?: (wheel: Wheel) => void) =>
      new Timer({
        onDeadline: () => {
          fired.push(name)
          then?.(wheel)
        },
      }),
  }
}

describe('a wheel', () => {
  it.each([0, 1, 99, 100, 101, 5_000, 51_200, 60_000, 3_600_000])(
    'fires a deadline of %i ms once, never early, and at most three ticks late',
    (afterMs) => {
      const { wheel, fired, pass, timer } = world()
      pass(37)
      wheel.arm(timer('it'), afterMs)
      for (let passed = 0; passed < afterMs; passed += 50) {
        expect(fired).toEqual([])
        pass(Math.min(50, afterMs - passed))
      }
      pass(300)
      expect(fired).toEqual(['it'])
      pass(200_000)
      expect(fired).toEqual(['it'])
    },
  )

  it('follows a deadline that is moved later, moved earlier, or taken back', () => {
    const { wheel, fired, pass, timer } = world()
    const [later, earlier, never] = [timer('later'), timer('earlier'), timer('never')]
    for (const each of [later, earlier, never]) wheel.arm(each, 1_000)
    wheel.arm(later, 2_000)
    wheel.arm(earlier, 300)
    wheel.disarm(never)
    pass(500)
    expect(fired).toEqual(['earlier'])
    pass(1_000)
    expect(fired).toEqual(['earlier'])
    pass(1_000)
    expect(fired).toEqual(['earlier', 'later'])
    expect(never.armed).toBe(false)
  })

  it('lets a deadline arm itself again', () => {
    const { wheel, fired, pass, timer } = world()
    const again: Timer = timer('again', () => wheel.arm(again, 100))
    wheel.arm(again, 100)
    for (let n = 0; n < 15; n += 1) pass(100)
    expect(fired.length).toBeGreaterThanOrEqual(4)
  })

  it('lets one deadline release another of the same tick', () => {
    const { wheel, fired, pass, timer } = world()
    const second = timer('second')
    const third = timer('third')
    const first = timer('first', () => wheel.release(second))
    for (const each of [first, second, third]) wheel.arm(each, 100)
    pass(300)
    expect(fired).toEqual(['first', 'third'])
  })

  it('does not count a time in which nothing ran', () => {
    const { wheel, fired, pass, stall, timer } = world()
    wheel.arm(timer('before'), 1_000)
    stall(60_000)
    // What comes in before the interval does, so on a wheel that is behind.
    wheel.arm(timer('after'), 1_000)
    pass(700)
    expect(fired).toEqual([])
    pass(600)
    expect(fired).toEqual(['before', 'after'])
  })

  it('keeps up with a clock whose interval comes a little late each time', () => {
    const { wheel, fired, stall, timer } = world()
    wheel.arm(timer('it'), 10_000)
    for (let passed = 0; passed < 10_400; passed += 104) {
      stall(104)
      wheel.advance()
    }
    expect(fired).toEqual(['it'])
  })
})
