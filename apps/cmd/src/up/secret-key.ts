/** The secret key of this machine's fleet: made at the first start, unless somebody gives one. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  readSecretKeys,
  SECRET_KEY_BYTES,
  SECRET_KEY_FILE,
  type Environment,
} from '@gatehouse/events'

/**
 * Makes `<dataDir>/secret.key`, for this user only, where every program of the fleet looks for it. Throws
 * `InvalidSetting` when there is one that cannot be used.
 */
export const ensureSecretKey = (dataDir: string, environment: Environment): void => {
  if (readSecretKeys({ ...environment, GATEHOUSE_DATA: dataDir }) !== undefined) return
  const text = `${randomBytes(SECRET_KEY_BYTES).toString('hex')}\n`
  // Never over one that is there: what it has sealed could not be opened again.
  writeFileSync(join(dataDir, SECRET_KEY_FILE), text, { mode: 0o600, flag: 'wx' })
}
