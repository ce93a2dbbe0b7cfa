import { describe, expect, it } from 'vitest'
import type { Comparison } from '../bench/comparison.ts'
import { comparisonText } from '../bench/comparison-text.ts'
import { figuresOf, type FigureRules } from '../bench/data-path/figure-rule.ts'
import { describeMachine } from '../bench/machine.ts'
import { plotOf } from '../bench/plot.ts'
import { readOptions } from '../bench/options.ts'
import { hasFailed, type Report } from '../bench/report.ts'

const entry = (name: string, values: readonly number[], errors = 0) => ({
  name,
  version: '1',
  values,
  details: { 'p99 ms': 1 },
  errors,
})
const comparison: Comparison = {
  name: 'line',
  title: 'A & B',
  compared: 'requests per CPU-second',
  better: 'more',
  entries: [
    entry('gatehouse', [90, 100, 110]),
    entry('nginx', [96, 96, 96]),
    entry('caddy', [25, 25, 25]),
    entry('haproxy', [500, 500, 500], 3),
  ],
}

describe('a comparison', () => {
  const rows = comparisonText(comparison).map((line) => line.split(/ *\| */))
  const rowOf = (name: string): readonly string[] => rows.find((row) => row[1] === name) ?? []

  it('says how far everybody is from Gatehouse, by medians, and what is a tie', () => {
    expect(rowOf('nginx')[4]).toBe('1.04 (tie)')
    expect(rowOf('caddy')[4]).toBe('4.00')
  })

  it('makes nothing of somebody who had errors', () => {
    expect(rowOf('haproxy').slice(2, 5)).toEqual(['void', '500 to 500', ''])
  })

  it('is drawn with a bar for everybody who had none, in proportion', () => {
    const machine = describeMachine('7.0.0')
    const plot = plotOf({ machine, comparisons: [comparison] } as unknown as Report)
    const widths = [...(plot ?? '').matchAll(/<rect x="170" .*?width="([\d.]+)"/g)].map(
      ([, width]) => Number(width),
    )
    expect(widths).toHaveLength(3)
    expect(widths[0]).toBeCloseTo((widths[2] ?? 0) * 4, 0)
    expect(plot).toContain('>A &amp; B</text>')
  })
})

describe('the figures of a line', () => {
  const rules: FigureRules<{ readonly rate: number }> = {
    'small-get-nginx': {
      uses: ['gatehouse', 'nginx'],
      values: (one, other) => [(one?.rate ?? 0) / (other?.rate ?? 0)],
    },
  }
  const found = (ours: number, theirs: number) => ({
    outcomes: new Map([
      ['gatehouse' as const, { rate: 3, errors: ours }],
      ['nginx' as const, { rate: 2, errors: theirs }],
    ]),
    absent: new Map(),
  })

  it('are made of two that had no errors', () => {
    const made = figuresOf('line', rules, found(0, 0))
    expect(made).toEqual({ samples: { 'small-get-nginx': [1.5] }, notes: [], failures: [] })
  })

  it('are void with an error of a peer, and it is said', () => {
    const made = figuresOf('line', rules, found(0, 7))
    const notes = [
      expect.stringMatching(/^line: no figures of nginx\. It is void, with 7 errors: /),
    ]
    expect(made).toEqual({ samples: {}, notes, failures: [] })
  })

  it('fail the run with an error of ours', () => {
    const { samples, failures = [] } = figuresOf('line', rules, found(7, 0))
    expect({ samples, failures }).toEqual({
      samples: {},
      failures: [
        expect.stringMatching(/^line: no figures of gatehouse\. It is void, with 7 errors: /),
      ],
    })
    expect(hasFailed({ rows: [], failures } as unknown as Report)).toBe(true)
  })
})

describe('the options of the data path', () => {
  it('choose the part, the peers and how long everything takes', () => {
    const args = ['http', '--peer', 'nginx', '--seconds', '2', '--repetitions', '7']
    const asked = readOptions(args)
    const load = { seconds: 2, repetitions: 7, peers: ['nginx'] }
    expect(asked).toMatchObject({ options: { part: 'http', load } })
    const parts = asked.kind === 'run' ? asked.options.measurements.map(({ part }) => part) : []
    expect(new Set(parts)).toEqual(new Set(['http']))
  })

  it.each([
    [['tcp'], '"tcp" is no part; expected http or events'],
    [['http', 'events'], '"events" is one part too many; all are measured without a name'],
    [['events', '--only', 'small-get'], '--only is "small-get"; expected one of propagation, '],
    [['--peer', 'ngnix'], '--peer is "ngnix"; expected one of nginx, '],
    [['--seconds', '0.5'], '--seconds is "0.5"; expected a number from 1 to 600'],
    [['--repetitions', '0'], '--repetitions is "0"; expected a number from 1 to 100'],
  ])('%j is refused in one sentence', (args, sentence) => {
    const asked = readOptions(args)
    expect(asked).toEqual({ kind: 'problem', problem: expect.stringContaining(sentence) })
  })
})
