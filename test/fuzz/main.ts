/**
 * `npm run fuzz`: looks for disagreements for as long as it is told, each level for its share of a round,
 * round after round. The first one found is cut down and shown, ready to be kept as a regression.
 */
import { createRandom } from '../../apps/proxy/src/http/testing/mutation.ts'
import type { LevelName, Verdict } from './case.ts'
import { openLevel } from './levels.ts'
import { asRegression, minimise } from './minimise.ts'
import { HELP, readOptions, type Options } from './options.ts'
import { run } from './run.ts'

const EXIT_FOUND = 1
const EXIT_USAGE = 2
/** A level is left for the next one after so long, so that an hour is an hour of all of them. */
const TURN_MS = 5_000

type Counts = Record<Verdict['kind'], number>

const main = async (args: readonly string[]): Promise<number> => {
  const asked = readOptions(args)
  switch (asked.kind) {
    case 'help':
      process.stdout.write(HELP)
      return 0
    case 'problem':
      process.stderr.write(`${asked.problem}; --help shows what there is\n`)
      return EXIT_USAGE
    case 'run':
      return await look(asked.options)
  }
}

const look = async ({ seed, durationMs, levels }: Options): Promise<number> => {
  say(`seed ${seed}`)
  const end = performance.now() + durationMs
  const totals = new Map<LevelName, { counts: Counts; ms: number }>()
  const random = createRandom(seed)
  let code = 0
  // Each turn has a seed of its own, so that a find is found again without the turns before it.
  let turnSeed = seed
  for (; performance.now() < end && code === 0; turnSeed = random(2 ** 32)) {
    for (const name of levels) {
      if (performance.now() >= end || code !== 0) break
      await using opened = await openLevel(name)
      const from = performance.now()
      const until = Math.min(end, from + TURN_MS)
      const { counts, found } = await run(opened.level, turnSeed, () => performance.now() >= until)
      add(totals, name, counts, performance.now() - from)
      if (found !== undefined) {
        say(`${name}, seed ${turnSeed}: ${found.problem}\n\nCutting it down ...\n`)
        say(asRegression(await minimise(opened.level, found.example), turnSeed))
        say('\nPaste it into test/fuzz/regressions.ts, with a name of its own.\n')
        code = EXIT_FOUND
      }
    }
  }
  for (const [name, { counts, ms }] of totals) say(rowOf(name, counts, ms))
  return code
}

const add = (
  totals: Map<LevelName, { counts: Counts; ms: number }>,
  name: LevelName,
  counts: Readonly<Counts>,
  ms: number,
): void => {
  const before = totals.get(name) ?? {
    counts: { both: 0, stricter: 0, neither: 0, disagreement: 0 },
    ms: 0,
  }
  const both = before.counts.both + counts.both
  const stricter = before.counts.stricter + counts.stricter
  const neither = before.counts.neither + counts.neither
  const disagreement = before.counts.disagreement + counts.disagreement
  totals.set(name, { counts: { both, stricter, neither, disagreement }, ms: before.ms + ms })
}

const rowOf = (name: LevelName, counts: Counts, ms: number): string => {
  const { both, stricter, neither, disagreement } = counts
  const rate = ((both + stricter + neither + disagreement) / ms) * 1_000
  return (
    `${name.padEnd(14)}  ${both} accepted by both, ${stricter} refused by us only, ` +
    `${neither} refused by both, ${disagreement} disagreements; ${rate.toFixed(0)} per second`
  )
}

const say = (sentence: string): void => {
  process.stdout.write(`${sentence}\n`)
}

process.exitCode = await main(process.argv.slice(2))
