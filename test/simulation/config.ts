/** What the simulation takes from the environment: nothing else in it depends on when or where it runs. */
export interface SimulationConfig {
  /** The first round's seed; round n runs with seed + n, so that a failed round can be run alone. */
  readonly seed: number
  readonly rounds: number
}

const SEED_DEFAULT = 20_260_101
const ROUNDS_DEFAULT = 100

/** Reads `SIMULATION_SEED` and `SIMULATION_ROUNDS`; throws when one is not a whole number. */
export const readSimulationConfig = (
  environment: Readonly<Record<string, string | undefined>> = process.env,
): SimulationConfig => ({
  seed: wholeNumber(environment, 'SIMULATION_SEED', SEED_DEFAULT),
  rounds: wholeNumber(environment, 'SIMULATION_ROUNDS', ROUNDS_DEFAULT),
})

const wholeNumber = (
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  fallback: number,
): number => {
  const text = environment[name]
  if (text === undefined || text === '') return fallback
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new Error(`${name} is "${text}"; expected a whole number such as ${fallback}.`)
}
