/** The text format of Prometheus, read as strictly as a scraper may. */

export interface Metric {
  readonly type: string
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

/** Reads the text format 0.0.4 as strictly as a scraper may. Throws with the line that it refuses. */
export const readExposition = (text: string): ReadonlyMap<string, Metric> => {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const metrics = new Map<string, Metric>()
  const series = new Set<string>()
  let helped = ''
  let current = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) ([a-z][a-z0-9_]*) (.+)$/.exec(line) ?? []
    if (kind === 'HELP') helped = name
    else if (kind === 'TYPE') {
      if (name !== helped || metrics.has(name)) throw new Error(`out of order: ${line}`)
      if ((rest === 'counter') !== name.endsWith('_total')) throw new Error(`misnamed: ${line}`)
      metrics.set(name, { type: rest, samples: [] })
      current = name
    } else {
      const sample =
        /^([a-z][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\]|\\[\\"n])*",?)+)\})? (\d+(?:\.\d+)?)$/.exec(
          line,
        )
      if (sample === null || sample[1] !== current) throw new Error(`not a sample: ${line}`)
      const id = line.slice(0, line.lastIndexOf(' '))
      if (series.has(id)) throw new Error(`twice: ${id}`)
      series.add(id)
      const labels = [...(sample[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(
        ([, label = '', value = '']) => [label, value.replaceAll(/\\(.)/g, unescaped)],
      )
      metrics.get(current)?.samples.push({
        labels: Object.fromEntries(labels),
        value: Number(sample[3]),
      })
    }
  }
  return metrics
}

const unescaped = (_: string, character: string): string => (character === 'n' ? '\n' : character)
