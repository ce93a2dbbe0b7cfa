/**
 * `npm run soak`: hours of everything, and at the end everything has to be given back: heap, memory,
 * descriptors, connections, work in flight. A line now and then goes to standard error, the verdict to
 * standard output.
 */
import { sayDuration } from '../../apps/cmd/src/spec/duration.ts'
import {
  awaitInterruption,
  endWith,
  EXIT_FAILED,
  EXIT_INTERRUPTED,
  EXIT_USAGE,
  say,
} from '../bench/ends.ts'
import { openLab } from '../bench/lab.ts'
import { describeMachine, machineLine } from '../bench/machine.ts'
import { openStage } from '../bench/scenarios/stage.ts'
import { HELP, readSoakOptions, type SoakOptions } from './options.ts'
import { soak } from './soak.ts'
import { lineOf, textOf, verdictOf } from './verdict.ts'

const PROXIES = 2

const main = async (args: readonly string[]): Promise<number> => {
  const asked = readSoakOptions(args)
  switch (asked.kind) {
    case 'help':
      process.stdout.write(HELP)
      return 0
    case 'problem':
      say(`${asked.problem}; --help shows what there is`)
      return EXIT_USAGE
    case 'run':
      return run(asked.options)
  }
}

const run = async (options: SoakOptions): Promise<number> => {
  const interruption = awaitInterruption()
  await using lab = await openLab(say)
  await using redis = await lab.startRedis('durable')
  say(machineLine(describeMachine(lab.redisVersion)))
  say(
    `${sayDuration(options.durationMs)} with ${options.connections} connections, after a warm-up …`,
  )
  await using stage = await openStage(lab, redis.url, PROXIES)
  const soaked = await interruption.race(soak(stage, options, (now) => say(lineOf(now))))
  if (soaked === 'interrupted') return EXIT_INTERRUPTED
  const verdict = verdictOf(soaked, options.tolerances)
  process.stdout.write(textOf(soaked, verdict))
  return verdict.holds ? 0 : EXIT_FAILED
}

await endWith(main)
