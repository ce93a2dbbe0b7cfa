/**
 * `npm run bench`: measures what Gatehouse promises to be quick at, on this machine and in one run, and
 * holds it to its floors. The table goes to standard output, everything on the way to standard error.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  awaitInterruption,
  endWith,
  EXIT_FAILED,
  EXIT_INTERRUPTED,
  EXIT_USAGE,
  say,
} from './ends.ts'
import { openLab, type Lab } from './lab.ts'
import { describeMachine } from './machine.ts'
import type { Measured } from './measurement.ts'
import { HELP, readOptions, type Options } from './options.ts'
import { plotOf } from './plot.ts'
import { hasFailed, rowsOf, type Report } from './report.ts'
import { runScenarios } from './scenarios/main.ts'
import { asksForScenario } from './scenarios/options.ts'
import { textOf } from './table.ts'

const RESULTS = resolve(import.meta.dirname, '../../bench/results')

const main = async (args: readonly string[]): Promise<number> => {
  if (asksForScenario(args)) return runScenarios(args)
  const asked = readOptions(args)
  switch (asked.kind) {
    case 'help':
      process.stdout.write(HELP)
      return 0
    case 'problem':
      say(`${asked.problem}; --help shows what there is`)
      return EXIT_USAGE
    case 'run': {
      const interruption = awaitInterruption()
      // Closed whichever way the work ends: also when somebody presses Ctrl-C.
      await using lab = await openLab(say)
      const report = await interruption.race(measure(asked.options, args, lab))
      if (report === 'interrupted') return EXIT_INTERRUPTED
      await show(report, asked.options)
      return hasFailed(report) ? EXIT_FAILED : 0
    }
  }
}

const measure = async (
  { measurements, scale, proxies, load }: Options,
  args: readonly string[],
  lab: Lab,
): Promise<Report> => {
  const machine = describeMachine(lab.redisVersion)
  const measured: Measured[] = []
  for (const { measure: run } of measurements) {
    measured.push(await run({ lab, scale, proxies, load }))
  }
  const samples = Object.assign({}, ...measured.map((each) => each.samples)) as object
  return {
    date: new Date().toISOString(),
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    machine,
    scale,
    rows: rowsOf(samples, scale),
    comparisons: measured.flatMap(({ comparison }) => comparison ?? []),
    // Lines that are measured in the same way say it once.
    notes: [...new Set(measured.flatMap(({ notes }) => notes))],
    failures: measured.flatMap(({ failures }) => failures ?? []),
  }
}

const show = async (report: Report, { json, save, part }: Options): Promise<void> => {
  const text = textOf(report)
  const document = `${JSON.stringify(report, undefined, 2)}\n`
  process.stdout.write(json ? document : text)
  if (!save) return
  await mkdir(RESULTS, { recursive: true })
  const name = part ?? 'latest'
  await writeFile(join(RESULTS, `${name}.md`), text)
  await writeFile(join(RESULTS, `${name}.json`), document)
  const plot = plotOf(report)
  if (plot !== undefined) await writeFile(join(RESULTS, `${name}.svg`), plot)
}

await endWith(main)
