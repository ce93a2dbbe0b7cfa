/**
 * The secret key of a fleet: what private keys are sealed with. There may be several while one replaces
 * another: the first seals, all of them open.
 */
import { hkdfSync } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidSetting, readDataDir, type Environment } from '../settings.ts'

export interface SecretKey {
  /** Eight hexadecimal digits that say nothing of the key: sealed text names its key by them. */
  readonly id: string
  readonly bytes: Buffer
}

/** The first one seals. */
export type SecretKeys = readonly [SecretKey, ...SecretKey[]]

/** The file below the data folder in which `npm start` leaves the key that it made. */
export const SECRET_KEY_FILE = 'secret.key'
export const SECRET_KEY_BYTES = 32
/** More than any rotation needs; a file that is something else is noticed. */
const KEYS_MAX = 8
const EXPECTED = 'expected 32 bytes as 64 hexadecimal digits or in base64'
const MAKE_ONE = 'make one with: openssl rand -hex 32'

/**
 * `GATEHOUSE_SECRET_KEY`, or what is in `GATEHOUSE_SECRET_KEY_FILE`, or the key that `npm start` left in
 * the data folder; undefined when there is none. Throws `InvalidSetting`, which never repeats a key.
 */
export const readSecretKeys = (environment: Environment): SecretKeys | undefined => {
  const text = environment['GATEHOUSE_SECRET_KEY'] ?? ''
  const file = environment['GATEHOUSE_SECRET_KEY_FILE'] ?? ''
  if (text !== '' && file !== '') {
    throw new InvalidSetting(
      'GATEHOUSE_SECRET_KEY and GATEHOUSE_SECRET_KEY_FILE are both set; expected one of them',
    )
  }
  if (text !== '') return parseKeys('GATEHOUSE_SECRET_KEY', text)
  if (file !== '') return parseKeys(`GATEHOUSE_SECRET_KEY_FILE ${file}`, readKeyFile(file))
  const made = join(readDataDir(environment), SECRET_KEY_FILE)
  const isThere = statSync(made, { throwIfNoEntry: false })?.isFile() === true
  return isThere ? parseKeys(made, readKeyFile(made)) : undefined
}

/** The same where there is no going on without. */
export const requireSecretKeys = (environment: Environment): SecretKeys => {
  const keys = readSecretKeys(environment)
  if (keys !== undefined) return keys
  throw new InvalidSetting(
    `No secret key is known, and private keys are kept only sealed: set GATEHOUSE_SECRET_KEY_FILE or GATEHOUSE_SECRET_KEY, the same for the whole fleet; ${MAKE_ONE}`,
  )
}

const readKeyFile = (path: string): string => {
  try {
    const { mode } = statSync(path)
    // Groups may read: that is how containers are given secrets.
    if ((mode & 0o027) !== 0) {
      throw new InvalidSetting(
        `The secret key in ${path} is open to others (mode ${(mode & 0o777).toString(8)}); expected 600`,
      )
    }
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof InvalidSetting) throw error
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new InvalidSetting(`The secret key in ${path} cannot be read (${why}); ${MAKE_ONE}`)
  }
}

const parseKeys = (from: string, text: string): SecretKeys => {
  const [first, ...others] = text
    .split(',')
    .map((each) => each.trim())
    .map((each, index) => parseKey(index === 0 ? from : `${from}, key ${index + 1},`, each))
  if (first === undefined || others.length >= KEYS_MAX) {
    throw new InvalidSetting(`${from} holds ${others.length + 1} keys; at most ${KEYS_MAX} fit`)
  }
  return [first, ...others]
}

const parseKey = (from: string, text: string): SecretKey => {
  const bytes = /^[0-9a-f]{64}$/i.test(text)
    ? Buffer.from(text, 'hex')
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(text)
      ? Buffer.from(text, 'base64')
      : undefined
  if (bytes === undefined) {
    throw new InvalidSetting(
      `${from} has ${text.length} characters that are not a key; ${EXPECTED}; ${MAKE_ONE}`,
    )
  }
  return { bytes, id: idOf(bytes) }
}

const idOf = (bytes: Buffer): string =>
  Buffer.from(hkdfSync('sha256', bytes, '', 'gatehouse key id', 4)).toString('hex')
