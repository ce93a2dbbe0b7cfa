import { expect, it } from 'vitest'
import { NOWHERE, WorkList, type Work } from './work-list.ts'

const work = (): Work => ({ place: NOWHERE, cut: () => {} })

it('counts what entered and has not left, in any order', () => {
  const list = new WorkList()
  const all = [work(), work(), work()]
  for (const each of all) list.enter(each)
  for (const index of [1, 0, 2]) {
    const each = all[index]
    expect(each !== undefined && list.leave(each)).toBe(true)
  }
  expect(list.size).toBe(0)
})

it('lets nothing leave twice, nor leave a list it is not in', () => {
  const [list, other] = [new WorkList(), new WorkList()]
  const [one, two] = [work(), work()]
  list.enter(one)
  other.enter(two)
  expect(list.leave(two)).toBe(false)
  expect(list.leave(one)).toBe(true)
  expect(list.leave(one)).toBe(false)
  expect(other.size).toBe(1)
})

it('refuses work that is in a list already', () => {
  const list = new WorkList()
  const one = work()
  list.enter(one)
  expect(() => list.enter(one)).toThrow('in a list already')
})
