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
  const given = environment['GATEHOUSE_FLEET']
  const fleet = given === undefined || given === '' ? FLEET_DEFAULT : given
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
  // What follows a scheme may be a password, so nothing of it is repeated.
  if (scheme !== undefined && REDIS_SCHEMES.includes(scheme)) {
    if (leadsSomewhere(url, scheme)) return url
    throw new InvalidSetting(
      `GATEHOUSE_REDIS_URL names no place to connect to; expected ${EXAMPLES[scheme] ?? EXAMPLES['redis:']}`,
    )
  }
  const found = scheme === undefined ? 'has no scheme' : `starts with "${scheme}"`
  throw new InvalidSetting(
    `GATEHOUSE_REDIS_URL ${found}; expected one of ${REDIS_SCHEMES.map((each) => `${each}//`).join(', ')}`,
  )
}

const EXAMPLES: Readonly<Record<string, string>> = {
  'redis:': 'redis://host:6379',
  'rediss:': 'rediss://host:6379',
  'unix:': 'unix:/run/redis.sock',
  'redis-sentinel:': 'redis-sentinel://host:26379,host:26379/mymaster',
  'redis-cluster:': 'redis-cluster://host:6379,host:6379',
}

const leadsSomewhere = (url: string, scheme: string): boolean => {
  if (scheme === 'unix:') return /^unix:(\/\/)?[^/]*\/[^/]/i.test(url)
  const hosts = /^[a-z-]+:\/\/(?:[^@/]*@)?([^/?]*)/i.exec(url)?.[1] ?? ''
  return hosts.split(',').every((host) => /^([^:[\]]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(host))
}

const embeddedRedisUrl = (dataDir: string): string | undefined => {
  try {
    const url = readFileSync(join(dataDir, REDIS_URL_FILE), 'utf8').trim()
    return url === '' ? undefined : url
  } catch {
    return undefined
  }
}
