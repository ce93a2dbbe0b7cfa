/** The worker's settings, read once from the environment. A wrong one stops the start with a sentence. */
import { hostname } from 'node:os'
import {
  readFleetSettings,
  readSecretKeys,
  type Environment,
  type FleetSettings,
  type SecretKeys,
} from '@gatehouse/events'
import { readOnDemandSettings, type OnDemandSettings } from './acme/on-demand-settings.ts'
import { readAcmeSettings, type AcmeSettings } from './acme/settings.ts'

export interface WorkerSettings extends FleetSettings {
  /** How the fleet's list names this process. */
  readonly id: string
  /** What private keys are sealed with. */
  readonly secretKeys: SecretKeys | undefined
  readonly acme: AcmeSettings
  readonly onDemand: OnDemandSettings | undefined
}

/** Throws `InvalidSetting` naming the variable, what it holds and what was expected. */
export const readWorkerSettings = (environment: Environment = process.env): WorkerSettings => ({
  ...readFleetSettings(environment),
  id: `worker-${hostname()}-${process.pid}`,
  secretKeys: readSecretKeys(environment),
  acme: readAcmeSettings(environment),
  onDemand: readOnDemandSettings(environment),
})
