/**
 * `npm run bench -- --scenario NAME`: the whole product under load, held to thresholds. Tables go to
 * standard output as each scenario ends, everything on the way to standard error.
 */
import { awaitInterruption, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, say } from '../ends.ts'
import { openLab } from '../lab.ts'
import { describeMachine } from '../machine.ts'
import {
  readScenarioOptions,
  SCENARIO_HELP,
  SCENARIO_LIST,
  type ScenarioOptions,
} from './options.ts'
import { performScenario, type Outcome } from './perform.ts'
import { headOf, textOf } from './table.ts'

/** Returns the exit code. */
export const runScenarios = async (args: readonly string[]): Promise<number> => {
  const asked = readScenarioOptions(args)
  switch (asked.kind) {
    case 'help':
      process.stdout.write(SCENARIO_HELP)
      return 0
    case 'list':
      process.stdout.write(SCENARIO_LIST)
      return 0
    case 'problem':
      say(`${asked.problem}; --scenario all --help shows what there is`)
      return EXIT_USAGE
    case 'run':
      return run(asked.options, ['npm run bench --', ...args].join(' '))
  }
}

const run = async (
  { scenarios, load, thresholds, json }: ScenarioOptions,
  command: string,
): Promise<number> => {
  const interruption = awaitInterruption()
  await using lab = await openLab(say)
  await using redis = await lab.startRedis('durable')
  const machine = describeMachine(lab.redisVersion)
  if (!json) process.stdout.write(headOf(machine, command))
  const parts = { lab, redisUrl: redis.url, interruption, load, thresholds }
  const outcomes: Outcome[] = []
  for (const scenario of scenarios) {
    const outcome = await performScenario(scenario, parts)
    if (outcome === 'interrupted') return EXIT_INTERRUPTED
    if (!json) process.stdout.write(textOf(outcome))
    outcomes.push(outcome)
  }
  if (json) {
    const document = { date: new Date().toISOString(), command, machine, scenarios: outcomes }
    process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`)
  }
  return outcomes.every(({ holds }) => holds) ? 0 : EXIT_FAILED
}
