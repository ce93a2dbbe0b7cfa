import { describe, expect, it } from 'vitest'
import { EVENT_FIGURE_NAMES, figureOf } from '../bench/figures.ts'
import { readOptions } from '../bench/options.ts'
import { rowsOf, verdictOf, type Report } from '../bench/report.ts'
import { median, quantile } from '../bench/statistics.ts'
import { textOf } from '../bench/table.ts'
import { startProcess, type Finished } from '../support/process.ts'

/** As it is typed. */
const bench = async (...args: readonly string[]): Promise<Finished> => {
  await using run = startProcess('npm', ['run', '--silent', 'bench', '--', ...args], process.env)
  return await run.finished
}

describe('npm run bench', () => {
  it('measures every figure of events there is, and says on what', async () => {
    const { exit, stdout, stderr } = await bench('events', '--quick', '--json')
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: expect.stringContaining('start: 1 of 1') })
    // Its own words, read back.
    const report = JSON.parse(stdout) as Report
    expect(report.rows.map(({ name }) => name)).toEqual(EVENT_FIGURE_NAMES)
    for (const { measured } of report.rows) expect(measured).toBeGreaterThan(0)
    const lines = textOf(report).split('\n')
    for (const name of EVENT_FIGURE_NAMES) {
      expect(lines).toContainEqual(
        expect.stringMatching(
          new RegExp(`^\\| ${figureOf(name).title} +\\| +\\d[\\d .]* (?:ms|events/s|MB|×) \\|`),
        ),
      )
    }
    expect(lines).toContainEqual(expect.stringMatching(/cores, .*Node \d+.*, Redis \d+/))
    expect(lines).toContainEqual(
      expect.stringContaining('`npm run bench -- events --quick --json`'),
    )
  })

  it('measures only what it is asked for', () => {
    const asked = readOptions(['--only', 'start', '--proxies', '3'])
    expect(asked).toMatchObject({
      options: { measurements: [{ name: 'start' }], proxies: 3, scale: 'full', json: false },
    })
  })

  it.each([
    [['--only', 'everything'], '--only is "everything"; expected one of small-get, '],
    [['--proxies', 'some'], '--proxies is "some"; expected a number from 1 to '],
    [['--fast'], "Unknown option '--fast'"],
  ])('%j is refused in one sentence', (args, sentence) => {
    const asked = readOptions(args)
    expect(asked).toEqual({ kind: 'problem', problem: expect.stringContaining(sentence) })
  })
})

describe('the verdict', () => {
  const latency = { title: '', unit: 'ms', better: 'less', counts: 'median' } as const
  const rate = { title: '', unit: 'events/s', better: 'more', counts: 'median' } as const

  it('is the goal when it is reached, the floor when that is held, and missed below it', () => {
    const bounds = { ...latency, floor: 3, goal: 1 }
    const verdicts = [1, 1.01, 3, 3.01].map((measured) => verdictOf(measured, bounds))
    expect(verdicts).toEqual(['goal', 'floor', 'floor', 'missed'])
  })

  it('knows what is better more and what is better less', () => {
    const bounds = { ...rate, floor: 200, goal: 300 }
    const verdicts = [300, 299, 200, 199].map((measured) => verdictOf(measured, bounds))
    expect(verdicts).toEqual(['goal', 'floor', 'floor', 'missed'])
  })

  it('misses nothing that has no floor', () => {
    const verdicts = [latency, { ...latency, goal: 1 }].map((figure) => verdictOf(9, figure))
    expect(verdicts).toEqual(['unjudged', 'short'])
  })

  it('is about the median, and not given on a quick run', () => {
    const samples = { 'routed-one-p99': [9, 0.1, 1.3], 'routed-one-max': [1, 7, 2] }
    const rows = rowsOf(samples, 'full')
    expect(rows).toMatchObject([
      { name: 'routed-one-p99', measured: 1.3, lowest: 0.1, highest: 9, verdict: 'floor' },
      { name: 'routed-one-max', measured: 7, verdict: 'unjudged' },
    ])
    expect(rowsOf(samples, 'quick').map(({ verdict }) => verdict)).toEqual(['unjudged', 'unjudged'])
  })
})

describe('the numbers that stand for many', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)

  it('are values that were measured, by nearest rank', () => {
    expect([0, 0.5, 0.99, 1].map((q) => quantile(hundred, q))).toEqual([1, 50, 99, 100])
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
  })

  it('do not exist for no values', () => {
    expect(() => quantile([], 0.5)).toThrow('no quantile of no values')
    expect(() => median([])).toThrow('no middle of nothing')
  })
})
