/** The table behind a line's ratios: everybody who took part, and how far Gatehouse is from each. */
import { alignedTable, grouped, inDigits } from './aligned-table.ts'
import type { Comparison, Entry } from './comparison.ts'
import { median } from './statistics.ts'

/** Differences below this share say nothing on a shared machine. */
const TIE = 0.05

export const comparisonText = ({
  name,
  title,
  compared,
  entries,
}: Comparison): readonly string[] => {
  const [ours] = entries
  if (ours === undefined) return []
  const details = Object.keys(ours.details)
  const head = [
    '',
    compared,
    'lowest to highest',
    `× ${ours.name}`,
    ...details,
    'errors',
    'version',
  ]
  const rows = entries.map((entry) => [
    entry.name,
    entry.errors > 0 ? 'void' : inDigits(median(entry.values)),
    `${inDigits(Math.min(...entry.values))} to ${inDigits(Math.max(...entry.values))}`,
    entry === ours ? '' : distance(ours, entry),
    ...details.map((detail) => inDigits(entry.details[detail] ?? 0)),
    grouped(entry.errors),
    entry.version,
  ])
  return ['', `## ${title} (\`${name}\`)`, '', ...alignedTable([head, ...rows])]
}

const distance = (ours: Entry, other: Entry): string => {
  if (ours.errors + other.errors > 0) return ''
  const times = median(ours.values) / median(other.values)
  return `${times.toFixed(2)}${Math.abs(times - 1) < TIE ? ' (tie)' : ''}`
}
