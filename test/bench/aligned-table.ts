/** A table in Markdown, aligned so that it reads as well on a terminal. */

/** What Markdown's own rule takes. */
const COLUMN_MIN = 3

/** Numbers to the right, but for the first and the last column; the first row is the head. */
export const alignedTable = (rows: readonly (readonly string[])[]): readonly string[] => {
  const [head = []] = rows
  const widths = head.map((_, column) =>
    Math.max(COLUMN_MIN, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const isNumber = (column: number): boolean => column > 0 && column < head.length - 1
  const lineOf = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(' | ')} |`
  const rule = widths.map((width, column) =>
    isNumber(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  )
  return [lineOf(head), lineOf(rule), ...rows.slice(1).map(lineOf)]
}

/** With a space between thousands. */
export const grouped = (value: number): string => value.toLocaleString('en').replaceAll(',', ' ')

/** Three significant digits or more: more than a shared machine is good for. Empty for what is no number. */
export const inDigits = (value: number): string => {
  if (!Number.isFinite(value)) return ''
  return value >= 100 ? grouped(Math.round(value)) : value.toFixed(value < 10 ? 2 : 1)
}
