/** A short hunt, for a test: so many cases from a seed, and of each kind enough to prove something. */
import { expect } from 'vitest'
import type { LevelName } from './case.ts'
import { openLevel } from './levels.ts'
import { run } from './run.ts'

/** A hunt is a few seconds of CPU, and says nothing about how soon it gets them. */
export const HUNT_MS_MAX = 300_000

/** Were fewer taken by both, the generator would have lost its way, and little would be proved. */
const BOTH_MIN = 0.15
/** Where nothing is broken, nothing can be read differently. */
const REFUSED_MIN = 0.05

export const expectAgreement = async (
  name: LevelName,
  seed: number,
  cases: number,
): Promise<void> => {
  await using opened = await openLevel(name)
  const { counts, found } = await run(opened.level, seed, (tried) => tried >= cases)
  expect(found).toBeUndefined()
  expect(counts.both / cases).toBeGreaterThan(BOTH_MIN)
  expect((counts.stricter + counts.neither) / cases).toBeGreaterThan(REFUSED_MIN)
}
