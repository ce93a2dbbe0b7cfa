/**
 * The settings that every program of a fleet shares: which log to follow, and where to keep files.
 * The programs' own `config.ts` hand their environment in; nothing here reads it by itself.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { NAME } from '@gatehouse/domain'

export interface FleetSettings {
  readonly redisUrl: string
  readonly fleet: string
  /** Local copies, logs and the embedded Redis live below it. */
  readonly dataDir: string
}

export type Environment = Readonly<Record<string, string | undefined>>

/** A setting that cannot be used. The message is one sentence that names the variable. */
export class InvalidSetting extends Error {
  override readonly name = 'InvalidSetting'
}

export const FLEET_DEFAULT = 'main'

/** The file below the data folder in which `npm start` leaves the address of its own Redis. */
export const REDIS_URL_FILE = 'redis.url'

const PROJECT_ROOT = resolve(import.meta.dirname, '../../..')
const REDIS_SCHEMES = ['redis:', 'rediss:', 'unix:', 'redis-sentinel:', 'redis-cluster:']

/** Throws `InvalidSetting` when a variable is wrong, or when nothing says where Redis is. */
export const readFleetSettings = (environment: Environment): FleetSettings => {
  const dataDir = readDataDir(environment)
  return { redisUrl: readRedisUrl(environment, dataDir), fleet: readFleet(environment), dataDir }
}

/** `GATEHOUSE_DATA`, against the working folder; `.gatehouse` beside the sources by default. */
export const readDataDir = (environment: Environment): string => {
  const given = environment['GATEHOUSE_DATA']
  return given === undefined || given === '' ? join(PROJECT_ROOT, '.gatehouse') : resolve(given)
}

export const readFleet = (environment: Environment): string => {
  const fleet = environment['GATEHOUSE_FLEET'] ?? FLEET_DEFAULT
  if (NAME.test(fleet)) return fleet
  throw new InvalidSetting(
    `GATEHOUSE_FLEET is "${fleet}"; expected a name of letters, digits, ".", "_" and "-", such as main`,
  )
}

const readRedisUrl = (environment: Environment, dataDir: string): string => {
  const given = environment['GATEHOUSE_REDIS_URL']
  const url = given === undefined || given === '' ? embeddedRedisUrl(dataDir) : given
  if (url === undefined) {
    throw new InvalidSetting(
      'No Redis is known: start everything here with `npm start`, or set GATEHOUSE_REDIS_URL, for example redis://127.0.0.1:6379',
    )
  }
  const scheme = /^[a-z-]+:/i.exec(url)?.[0].toLowerCase()
  if (scheme !== undefined && REDIS_SCHEMES.includes(scheme)) return url
  // What follows a scheme may be a password, so nothing of it is repeated.
  const found = scheme === undefined ? 'has no scheme' : `starts with "${scheme}"`
  throw new InvalidSetting(
    `GATEHOUSE_REDIS_URL ${found}; expected one of ${REDIS_SCHEMES.map((each) => `${each}//`).join(', ')}`,
  )
}

const embeddedRedisUrl = (dataDir: string): string | undefined => {
  try {
    const url = readFileSync(join(dataDir, REDIS_URL_FILE), 'utf8').trim()
    return url === '' ? undefined : url
  } catch {
    return undefined
  }
}
