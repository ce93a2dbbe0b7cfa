/** The comparisons of a report as one picture, in SVG: a panel for each line, a bar for everybody in it. */
import { inDigits } from './aligned-table.ts'
import type { Comparison, Entry } from './comparison.ts'
import { machineLine } from './machine.ts'
import type { Report } from './report.ts'
import { median } from './statistics.ts'

const WIDTH = 760
const MARGIN = 16
const BAR_LEFT = 170
const BAR_WIDTH_MAX = 440
const BAR_HEIGHT = 16
const ROW_HEIGHT = 22
const PANEL_HEAD_HEIGHT = 44
const HEAD_HEIGHT = 56
const CHARACTER_WIDTH = 6.2
const OURS = '#b4531f'
const OTHERS = '#8a94a6'

/** Undefined when there is nothing to compare. */
export const plotOf = (report: Report): string | undefined => {
  const panels = report.comparisons.map(({ entries, ...comparison }) => ({
    ...comparison,
    entries: entries.filter(({ errors }) => errors === 0),
  }))
  if (panels.length === 0) return undefined
  const heightOf = ({ entries }: Comparison): number =>
    PANEL_HEAD_HEIGHT + entries.length * ROW_HEIGHT
  const height = HEAD_HEIGHT + panels.reduce((sum, panel) => sum + heightOf(panel), 0) + MARGIN
  let top = HEAD_HEIGHT
  const drawn = panels.flatMap((panel) => {
    const lines = panelAt(panel, top)
    top += heightOf(panel)
    return lines
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#1c2330">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...wrapped(machineLine(report.machine)).map((text, row) =>
      textAt(MARGIN, 22 + row * 16, text, 'fill="#5b6474" font-size="11"'),
    ),
    ...drawn,
    '</svg>',
    '',
  ].join('\n')
}

const panelAt = (
  { title, compared, better, entries }: Comparison,
  top: number,
): readonly string[] => {
  const most = Math.max(...entries.map(({ values }) => median(values)))
  return [
    textAt(MARGIN, top + 20, title, 'font-weight="600" font-size="13"'),
    textAt(MARGIN, top + 36, `${compared}, ${better} is better`, 'fill="#5b6474" font-size="11"'),
    ...entries.flatMap((entry, row) =>
      barAt(entry, top + PANEL_HEAD_HEIGHT + row * ROW_HEIGHT, most),
    ),
  ]
}

const barAt = ({ name, values }: Entry, top: number, most: number): readonly string[] => {
  const value = median(values)
  // Memory can shrink; a bar cannot.
  const width = Math.max(1, (value / most) * BAR_WIDTH_MAX)
  const colour = name.startsWith('gatehouse') ? OURS : OTHERS
  const baseline = top + BAR_HEIGHT - 4
  return [
    textAt(BAR_LEFT - 8, baseline, name, 'text-anchor="end"'),
    `<rect x="${BAR_LEFT}" y="${top}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" fill="${colour}"/>`,
    textAt(BAR_LEFT + width + 6, baseline, inDigits(value), ''),
  ]
}

const textAt = (x: number, y: number, text: string, attributes: string): string =>
  `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped(text)}</text>`

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** SVG does not break lines by itself. */
const wrapped = (text: string): readonly string[] => {
  const charactersMax = Math.floor((WIDTH - 2 * MARGIN) / CHARACTER_WIDTH)
  return text.split(' ').reduce<readonly string[]>((lines, word) => {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length >= charactersMax) return [...lines, word]
    return [...lines.slice(0, -1), `${last} ${word}`]
  }, [])
}
