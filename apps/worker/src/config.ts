/** The worker's settings, read once from the environment. A wrong one stops the start with a sentence. */
import { hostname } from 'node:os'
import { readFleetSettings, type Environment, type FleetSettings } from '@gatehouse/events'

export interface WorkerSettings extends FleetSettings {
  /** How the fleet's list names this process. */
  readonly id: string
}

/** Throws `InvalidSetting` naming the variable, what it holds and what was expected. */
export const readWorkerSettings = (environment: Environment = process.env): WorkerSettings => ({
  ...readFleetSettings(environment),
  id: `worker-${hostname()}-${process.pid}`,
})
