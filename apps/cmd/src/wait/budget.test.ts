import { expect, it } from 'vitest'
import { createBudget } from './budget.ts'

it('a budget is spent only by what a phase takes beyond its own time', () => {
  let now = 0
  const budget = createBudget(1_000, () => now)
  expect(budget.deadlineAfter(500)).toBe(1_500)
  now = 400
  budget.spend(0, 500)
  expect(budget.deadlineAfter(0)).toBe(1_400)
  now = 700
  budget.spend(400, 0)
  expect(budget.deadlineAfter(0)).toBe(1_400)
  now = 5_000
  budget.spend(700, 0)
  expect(budget.deadlineAfter(30)).toBe(5_030)
})
