import { describe, expect, it } from 'vitest'
import { LEVEL_NAMES, readOptions } from './options.ts'

describe('the options of npm run fuzz', () => {
  it('are a seed, a time and levels', () => {
    expect(readOptions(['--seed', '7', '--duration', '1h', '--only', 'splits'])).toEqual({
      kind: 'run',
      options: { seed: 7, durationMs: 3_600_000, levels: ['splits'] },
    })
  })

  it('are a minute of everything from a random seed when none is given', () => {
    expect(readOptions([])).toMatchObject({
      kind: 'run',
      options: { seed: expect.any(Number), durationMs: 60_000, levels: LEVEL_NAMES },
    })
  })

  it.each([
    [['--seed', 'x'], '--seed is "x"; expected a number from 0 to 4294967295'],
    [['--seed', ''], '--seed is ""; expected a number from 0 to 4294967295'],
    [['--duration', '1'], '--duration is "1"; expected a time such as 30s, 10m or 1h'],
    [['--duration', '0s'], '--duration is "0s"; expected a time such as 30s, 10m or 1h'],
    [['--only', 'head'], '--only is "head"; expected one of request-heads, '],
    [['--sed', '1'], "Unknown option '--sed'"],
  ])('are refused with a sentence: %j', (args, sentence) => {
    const asked = readOptions(args)
    expect(asked.kind === 'problem' ? asked.problem : '').toContain(sentence)
  })
})
