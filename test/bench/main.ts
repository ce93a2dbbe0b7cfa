/**
 * `npm run bench`: measures what Gatehouse promises to be quick at, on this machine and in one run, and
 * holds it to its floors. The table goes to standard output, everything on the way to standard error.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openLab, type Lab } from './lab.ts'
import { describeMachine } from './machine.ts'
import type { Measured } from './measurement.ts'
import { HELP, readOptions, type Options } from './options.ts'
import { plotOf } from './plot.ts'
import { hasFailed, rowsOf, type Report } from './report.ts'
import { runScenarios } from './scenarios/main.ts'
import { asksForScenario } from './scenarios/options.ts'
import { textOf } from './table.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
const EXIT_INTERRUPTED = 130
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
      const report = await interruptible((lab) => measure(asked.options, args, lab))
      if (report === 'interrupted') return EXIT_INTERRUPTED
      await show(report, asked.options)
      return hasFailed(report) ? EXIT_FAILED : 0
    }
  }
}

/** Opens the lab, and closes it whichever way the work ends: also when somebody presses Ctrl-C. */
const interruptible = async (
  work: (lab: Lab) => Promise<Report>,
): Promise<Report | 'interrupted'> => {
  await using lab = await openLab(say)
  const interrupted = Promise.withResolvers<'interrupted'>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    let before = false
    process.on(signal, () => {
      // Asked twice: what runs is killed on the way out.
      if (before) process.exit(EXIT_INTERRUPTED)
      before = true
      interrupted.resolve('interrupted')
    })
  }
  const worked = work(lab)
  // After an interruption its processes are gone, and nobody wants to know what it makes of that.
  worked.catch(() => undefined)
  return await Promise.race([worked, interrupted.promise])
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

const say = (sentence: string): void => {
  process.stderr.write(`${sentence}\n`)
}

let code = EXIT_FAILED
try {
  code = await main(process.argv.slice(2))
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
}
// What was interrupted may still wait for processes that are gone.
process.exit(code)
