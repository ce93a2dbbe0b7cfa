/** What Gatehouse calls itself: in `--version`, in presence and metrics, and in every event it causes. */
import { readFileSync } from 'node:fs'

const manifest: unknown = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
)

/** The version of the whole project, from its package.json. */
export const VERSION: string =
  typeof manifest === 'object' &&
  manifest !== null &&
  'version' in manifest &&
  typeof manifest.version === 'string'
    ? manifest.version
    : 'unknown'

/** The program and its version, such as gatehouse/0.1.0. */
export const TOOL = `gatehouse/${VERSION}`
