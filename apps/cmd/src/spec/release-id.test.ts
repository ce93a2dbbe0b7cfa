import { NAME } from '@gatehouse/domain'
import { expect, it } from 'vitest'
import { releaseIdAt } from './release-id.ts'

it('A2 a generated release id is a name, and sorts by the time of its deploy', () => {
  const times = [0, 1, 999, 1_000, 60_000, 1_700_000_000_000, 1_800_000_000_001]
  const ids = times.map((at, index) => releaseIdAt(at, index / times.length))
  expect(ids.toSorted()).toEqual(ids)
  expect(ids.every((id) => NAME.test(id))).toBe(true)
  expect(releaseIdAt(1_777_627_815_123, 0.5)).toBe('20260501-093015123-i000')
})
