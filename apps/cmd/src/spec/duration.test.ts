import { describe, expect, it } from 'vitest'
import { parseDuration, sayDuration } from './duration.ts'
import { parseSize } from './size.ts'

describe('durations', () => {
  it.each([
    [1_500, 1_500],
    ['1500', 1_500],
    ['250ms', 250],
    ['5s', 5_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    [' 2M ', 120_000],
    [0, 0],
    ['1d', 86_400_000],
  ])('%j are %i ms', (written, ms) => {
    expect(parseDuration(written)).toEqual({ ms })
  })

  it.each(['5 s', 'fast', '', '-1s', -1, 's', '1s2', Number.NaN, true, null, undefined, {}, '1e3'])(
    '%j is none',
    (written) => {
      expect(parseDuration(written)).toEqual({
        problem: expect.stringContaining('expected milliseconds'),
      })
    },
  )

  it.each([
    [0.25, '0.3 ms'],
    [12.4, '12 ms'],
    [1_250, '1.3 s'],
    [30_000, '30 s'],
    [90_000, '1 min 30 s'],
    [120_000, '2 min'],
    [3_900_000, '1 h 5 min'],
  ])('%d ms are said as %s', (ms, words) => {
    expect(sayDuration(ms)).toBe(words)
  })
})

describe('sizes', () => {
  it.each([
    [1_024, 1_024],
    ['10MiB', 10_485_760],
    ['1.5 KB', 1_500],
    ['2gb', 2_000_000_000],
    [0, 'unlimited'],
    ['unlimited', 'unlimited'],
  ])('%j is %j', (written, bytes) => {
    expect(parseSize(written)).toEqual({ bytes })
  })

  it.each(['big', '10 MiBs', -1, null, '9999999GiB'])('%j is none', (written) => {
    expect(parseSize(written)).toEqual({ problem: expect.stringMatching(/^found .*; expected/) })
  })
})
