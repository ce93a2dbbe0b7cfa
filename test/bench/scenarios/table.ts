/** What a scenario found, for people: Markdown, aligned so that it reads as well on a terminal. */
import { machineLine, type Machine } from '../machine.ts'
import type { Look } from './look.ts'
import type { Outcome } from './perform.ts'
import { grouped, sayMegabytes, sayMs, type Judged, type Span } from './thresholds.ts'

export const headOf = (machine: Machine, command: string): string =>
  `# Measured by \`${command}\`\n\n- ${machineLine(machine)}\n\n`

export const textOf = ({ scenario, load, finding, spans, thresholds, holds }: Outcome): string => {
  const { book, notes, problems } = finding
  const { p50, p95, p99, max } = book.latencyMs
  const rows: readonly (readonly [string, string])[] = [
    ['per second', grouped(book.perSecond)],
    ['p50', sayMs(p50)],
    ['p95', sayMs(p95)],
    ['p99', sayMs(p99)],
    ['max', sayMs(max)],
    ...Object.entries(book.answers).map(([answer, count]) => [answer, grouped(count)] as const),
    ['errors', grouped(book.errors)],
    ...spans.flatMap(rowsOfSpan),
  ]
  const pace = load.ratePerSecond === undefined ? '' : `, ${load.ratePerSecond} due per second`
  const lines = [
    `## ${scenario.name}: ${scenario.about}`,
    '',
    `- ${load.durationMs / 1_000} s, ${load.connections} connections${pace}`,
    `- Counted is ${scenario.counts}.`,
    '',
    ...table([
      ['measured', 'value', 'threshold', 'ok'],
      ...rows.map((row) => [...row, ...judgedCells(thresholds, row[0])]),
      ...thresholds
        .filter(({ name }) => !rows.some(([row]) => row === name))
        .map(({ name, measured, bound, holds: held }) => [name, measured, bound, word(held)]),
    ]),
    '',
    ...notes.map((note) => `- ${note}`),
    ...book.firstErrors.map((sentence) => `- Error: ${sentence}`),
    ...problems.map((problem) => `- NO: ${problem}`),
    `- ${verdictOf(thresholds, holds)}`,
  ]
  return `${lines.join('\n')}\n\n`
}

const verdictOf = (thresholds: readonly Judged[], holds: boolean): string => {
  if (holds) return 'Every threshold is held.'
  const missed = thresholds
    .filter((each) => !each.holds)
    .map(({ name, measured, bound }) => `${name} is ${measured}, not ${bound}`)
  return missed.length === 0 ? 'Not as it should be.' : `Missed: ${missed.join('; ')}.`
}

const rowsOfSpan = ({ before, after }: Span): readonly (readonly [string, string])[] => {
  const { name } = after
  return [
    [`retained, ${name}`, `${sayMegabytes(before.heapBytes)} → ${sayMegabytes(after.heapBytes)}`],
    [
      `buffers, ${name}`,
      `${sayMegabytes(before.bufferBytes)} → ${sayMegabytes(after.bufferBytes)}`,
    ],
    [`resident, ${name}`, `${sayMegabytes(before.rssBytes)} → ${sayMegabytes(after.rssBytes)}`],
    [`descriptors, ${name}`, `${before.descriptors.length} → ${after.descriptors.length}`],
    [`sockets, ${name}`, `${socketsOf(before)} → ${socketsOf(after)}`],
  ]
}

const socketsOf = ({ descriptors }: Look): number =>
  descriptors.filter((each) => each === 'socket').length

const judgedCells = (thresholds: readonly Judged[], name: string): readonly [string, string] => {
  const judged = thresholds.find((each) => each.name === name)
  return judged === undefined ? ['', ''] : [judged.bound, word(judged.holds)]
}

const word = (holds: boolean): string => (holds ? 'yes' : 'NO')

/** Words to the left, numbers to the right; the first row is the head. */
const table = (rows: readonly (readonly string[])[]): readonly string[] => {
  const [head = []] = rows
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const isNumber = (column: number): boolean => column === 1 || column === 2
  const cell = (text: string, column: number): string =>
    isNumber(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0)
  const rule = widths.map((width, column) =>
    isNumber(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  )
  const lineOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    lineOf(head.map(cell)),
    lineOf(rule),
    ...rows.slice(1).map((row) => lineOf(row.map(cell))),
  ]
}
