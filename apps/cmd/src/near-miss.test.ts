import { describe, expect, it } from 'vitest'
import { didYouMean, nearMiss } from './near-miss.ts'

describe('a near miss', () => {
  const known = ['shop', 'blog', 'accounts', 'account-admin']
  it.each([
    ['shp', 'shop'],
    ['Shop', 'shop'],
    ['bolg', 'blog'],
    ['acounts', 'accounts'],
    ['acocunts', 'accounts'],
    ['x', undefined],
    ['payments', undefined],
    ['', undefined],
  ])('of %j is %j', (word, meant) => {
    expect(nearMiss(word, known)).toBe(meant)
  })

  it('reads as the end of a sentence', () => {
    expect(didYouMean('shp', known)).toBe('; did you mean "shop"?')
    expect(didYouMean('payments', known)).toBe('')
  })
})
