/** Streams of messages through the serving code, in memory. */
import { describe, expect, it } from 'vitest'
import { expectAgreement, HUNT_MS_MAX } from './hunt.ts'
import { openLevel } from './levels.ts'
import { REGRESSIONS } from './regressions.ts'

it(
  'P1 D18 what reaches a target is what llhttp reads in what was sent, in order, to the byte',
  () => expectAgreement('pipelines', 14, 12_000),
  HUNT_MS_MAX,
)

it(
  'P1 D18 where reads end changes nothing: every split of a stream of messages is the same',
  () => expectAgreement('splits', 15, 60),
  HUNT_MS_MAX,
)

describe('found once', () => {
  it.each(REGRESSIONS)('P1 D18 no disagreement about $name', async (example) => {
    await using opened = await openLevel(example.level)
    expect(await opened.level.judge(example)).not.toMatchObject({ kind: 'disagreement' })
  })
})
