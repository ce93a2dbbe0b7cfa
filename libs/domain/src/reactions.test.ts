import { describe, expect, it } from 'vitest'
import { isCalledFor, nameOf, outstanding, reactions } from './reactions.ts'
import { deploy, drained, failed, given, passed, release, type Past } from './testing.ts'

const two = [{ url: 'http://a:1' }, { url: 'http://b:1' }]
const blue = release('blue', { targets: two })
const green = release('green')
const greenLive = [deploy('web', blue), passed('web', 1), deploy('web', green), passed('web', 2)]

const namesAfter = (...past: readonly Past[]): readonly string[] =>
  outstanding(given(...past).gateway).map(nameOf)

const askedBy = (...past: readonly Past[]): readonly string[] =>
  given(...past)
    .events.flatMap(reactions)
    .map(nameOf)

describe('the work that the log calls for', () => {
  it('A4 is a health check for every deploy and every switch, until it is answered', () => {
    expect(namesAfter(deploy('web', blue))).toEqual(['check/web/1'])
    expect(namesAfter(deploy('web', blue), failed('web', 1))).toEqual([])
    const back = { type: 'Switch', service: 'web', release: 'blue' } as const
    expect(namesAfter(...greenLive, back)).toEqual(['check/web/3', 'drain/web/2'])
  })

  it('A18 is no check of what was superseded', () => {
    const { gateway } = given(deploy('web', blue), deploy('web', green))
    expect(isCalledFor({ type: 'CheckRelease', service: 'web', generation: 1 }, gateway)).toBe(
      false,
    )
    expect(isCalledFor({ type: 'CheckRelease', service: 'web', generation: 2 }, gateway)).toBe(true)
  })

  it('A10 is a watch over every drain, until it has ended', () => {
    expect(namesAfter(...greenLive)).toEqual(['drain/web/2'])
    expect(namesAfter(...greenLive, drained('web', 2))).toEqual([])
    const removed = [...greenLive, { type: 'Remove', service: 'web' } as const]
    expect(namesAfter(...removed)).toEqual(['drain/web/2', 'drain/web/3'])
  })

  it('A11 is a watch over the newer of two drains of one release', () => {
    const sooner = { type: 'Drain', service: 'web', release: 'blue', drainMs: 1 } as const
    expect(namesAfter(...greenLive, sooner)).toEqual(['drain/web/3'])
  })

  it('B9 is a watch over the targets of what serves, where there is more than one', () => {
    expect(namesAfter(deploy('web', blue), passed('web', 1))).toEqual(['targets/web/1'])
    expect(namesAfter(deploy('web', green), passed('web', 1))).toEqual([])
    const unchecked = { ...blue, health: { ...blue.health, skip: true } }
    expect(namesAfter(deploy('web', unchecked))).toEqual([])
    const { gateway } = given(...greenLive)
    expect(isCalledFor({ type: 'WatchTargets', service: 'web', revision: 1 }, gateway)).toBe(false)
    expect(isCalledFor({ type: 'WatchTargets', service: 'nobody', revision: 1 }, gateway)).toBe(
      false,
    )
  })

  it('A4 is asked for by the event that begins it', () => {
    expect(askedBy(...greenLive)).toEqual([
      'check/web/1',
      'targets/web/1',
      'check/web/2',
      'targets/web/2',
      'drain/web/2',
    ])
  })

  it('A4 has been asked for whenever it is outstanding', () => {
    const past = [...greenLive, { type: 'Rollback', service: 'web' }, passed('web', 3)] as const
    for (let length = 1; length <= past.length; length += 1) {
      const asked = askedBy(...past.slice(0, length))
      for (const name of namesAfter(...past.slice(0, length))) expect(asked).toContain(name)
    }
  })

  it('A4 has names that a queue takes: no colon, and never a bare number', () => {
    for (const name of askedBy(...greenLive)) expect(name).toMatch(/^[a-z]+\/[^:]+\/\d+$/)
  })
})
