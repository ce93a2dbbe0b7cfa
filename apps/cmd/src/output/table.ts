/** Tables without lines: aligned columns, two spaces apart, that `grep`, `awk` and people can read. */
import Table from 'cli-table3'
import { plain } from './output.ts'

export type Cell = string | number | undefined

const EDGES =
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right ' +
  'left left-mid mid mid-mid right right-mid middle'
const NO_LINES = Object.fromEntries(EDGES.split(' ').map((name) => [name, '']))

/** A table with its head in capitals; what is missing is a dash. Ends with a newline. */
export const table = (head: readonly string[], rows: readonly (readonly Cell[])[]): string => {
  const grid = new Table({
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [], compact: true },
  })
  grid.push(head.map((name) => name.toUpperCase()))
  for (const row of rows) grid.push(row.map(cell))
  return `${grid
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`
}

/** Colour codes are ours and pass; other control characters do not. */
const cell = (value: Cell): string => {
  if (value === undefined || value === '') return '-'
  return (
    String(value)
      // oxlint-disable-next-line no-control-regex -- our own colour codes begin with one
      .split(/(\u001b\[\d+m)/)
      .map((part, index) => (index % 2 === 1 ? part : plain(part)))
      .join('')
  )
}
