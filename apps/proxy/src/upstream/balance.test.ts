import { expect, it } from 'vitest'
import { roundRobin } from './balance.ts'

const turns = (next: () => string, count: number): string =>
  Array.from({ length: count }, next).join('')

it('B5 gives turns in the order of declaration, the first one first', () => {
  const { next } = roundRobin(['a', 'b', 'c'])
  expect(turns(next, 7)).toBe('abcabca')
})

it('B9 passes over ejected targets, and takes them back in their place', () => {
  const { next, setEjected } = roundRobin(['a', 'b', 'c'])
  setEjected((target) => target === 'b')
  expect(turns(next, 4)).toBe('acac')
  setEjected(() => false)
  expect(turns(next, 3)).toBe('abc')
})

it('uses all targets when all are ejected', () => {
  const { next, setEjected } = roundRobin(['a', 'b'])
  setEjected(() => true)
  expect(turns(next, 3)).toBe('aba')
})

it('names another target for what could not be sent to one, without taking a turn', () => {
  const { next, nextAfter, setEjected } = roundRobin(['a', 'b', 'c'])
  setEjected((target) => target === 'b')
  expect(nextAfter('a')).toBe('c')
  expect(nextAfter('c')).toBe('a')
  expect(next()).toBe('a')
  expect(roundRobin(['only']).nextAfter('only')).toBeUndefined()
})
