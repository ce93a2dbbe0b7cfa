/** The report for people: Markdown, aligned so that it reads as well on a terminal. */
import { alignedTable, grouped } from './aligned-table.ts'
import { comparisonText } from './comparison-text.ts'
import type { Figure } from './figures.ts'
import { machineLine, type Machine } from './machine.ts'
import type { Report, Row, Verdict } from './report.ts'

export const textOf = (report: Report): string => {
  const head = ['figure', 'measured', 'lowest to highest', 'floor', 'goal', 'ok']
  const lines = [
    '# Measured by `npm run bench`',
    '',
    `- ${report.date}, \`${report.command}\``,
    `- ${machineLine(report.machine)}`,
    '',
    ...alignedTable([head, ...report.rows.map(cellsOf)]),
    '',
    ...report.failures.map((failure) => `- **Not measured:** ${failure}`),
    ...report.notes.map((note) => `- ${note}`),
    `- ${verdictNote(report)}`,
    ...busyNotes(report.machine).map((note) => `- ${note}`),
    ...report.comparisons.flatMap(comparisonText),
  ]
  return `${lines.join('\n')}\n`
}

const WORDS: Readonly<Record<Verdict, string>> = {
  goal: 'yes, goal',
  floor: 'yes',
  short: 'below goal',
  missed: 'NO',
  unjudged: '',
}

const cellsOf = ({ title, unit, better, measured, lowest, highest, ...row }: Row): string[] => {
  const bound = (value: number | undefined): string =>
    value === undefined ? '' : `${better === 'less' ? '≤' : '≥'} ${plain(value)}`
  return [
    title,
    `${inUnit(measured, unit)} ${unit}`,
    row.repetitions === 1 ? '' : `${inUnit(lowest, unit)} to ${inUnit(highest, unit)}`,
    bound(row.floor),
    bound(row.goal),
    WORDS[row.verdict],
  ]
}

const verdictNote = ({ scale, rows }: Report): string => {
  if (scale === 'quick') return 'A quick run shows that everything works; its figures say nothing.'
  const missed = rows.filter(({ verdict }) => verdict === 'missed').map(({ title }) => title)
  const held = missed.length === 0 ? 'Every floor is held.' : `Floors missed: ${missed.join('; ')}.`
  return `${held} Measured is the median of the repetitions (of the longest waits, the longest); differences under 5 % are ties.`
}

/** From this share of the cores on, others take what the figures need. */
const BUSY_SHARE = 0.25

const busyNotes = ({ loadBefore, cores }: Machine): readonly string[] =>
  loadBefore < cores * BUSY_SHARE
    ? []
    : [
        'The machine was busy with something else before the run: what is counted in CPU holds, everything else is worse than it is.',
      ]

/** Three significant digits are more than a shared machine is good for. */
const inUnit = (value: number, unit: Figure['unit']): string => {
  switch (unit) {
    case 'ms':
    case '×':
      return value < 10 ? value.toFixed(2) : value.toFixed(0)
    case 'MB':
      return value.toFixed(0)
    case 'KB':
      return value.toFixed(1)
    case 'events/s':
      return grouped(Math.round(value / 1_000) * 1_000)
  }
}

const plain = (value: number): string => (Number.isInteger(value) ? grouped(value) : String(value))
