import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  InvalidSetting,
  readDataDir,
  readFleet,
  readFleetSettings,
  REDIS_URL_FILE,
  type Environment,
} from './settings.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-settings-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const read = (environment: Environment) =>
  readFleetSettings({ GATEHOUSE_DATA: folder, ...environment })

const problemOf = (environment: Environment): string => {
  try {
    read(environment)
    return 'none'
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidSetting)
    return (error as Error).message
  }
}

describe('the settings of a fleet', () => {
  it('are the address of Redis, the name of the fleet and a folder', () => {
    expect(
      read({ GATEHOUSE_REDIS_URL: 'redis://127.0.0.1:6379', GATEHOUSE_FLEET: 'eu-1' }),
    ).toStrictEqual({ redisUrl: 'redis://127.0.0.1:6379', fleet: 'eu-1', dataDir: folder })
  })

  it.each([
    'redis://user:secret@10.0.0.1:6379/2',
    'rediss://redis.example:6380',
    'unix:///run/redis.sock',
    'unix:/run/redis.sock',
    'redis-sentinel://10.0.0.1:26379,10.0.0.2:26379/main',
    'redis-cluster://10.0.0.1,10.0.0.2',
    'REDIS://HOST',
  ])('take %s', (url) => {
    expect(read({ GATEHOUSE_REDIS_URL: url }).redisUrl).toBe(url)
  })

  it('find the Redis that was started here, unless another is named', () => {
    writeFileSync(join(folder, REDIS_URL_FILE), 'unix:///tmp/x/redis.sock\n')
    expect(read({}).redisUrl).toBe('unix:///tmp/x/redis.sock')
    expect(read({ GATEHOUSE_REDIS_URL: '' }).redisUrl).toBe('unix:///tmp/x/redis.sock')
    expect(read({ GATEHOUSE_REDIS_URL: 'redis://a' }).redisUrl).toBe('redis://a')
  })

  it('say what to do when no Redis is known', () => {
    const sentence =
      'No Redis is known: start everything here with `npm start`, or set GATEHOUSE_REDIS_URL, for example redis://127.0.0.1:6379'
    expect(problemOf({})).toBe(sentence)
    writeFileSync(join(folder, REDIS_URL_FILE), '\n')
    expect(problemOf({})).toBe(sentence)
  })

  it.each([
    ['http://redis:6379', 'GATEHOUSE_REDIS_URL starts with "http:"; expected one of redis://, '],
    ['localhost', 'GATEHOUSE_REDIS_URL has no scheme; expected one of redis://, '],
    ['//a:secret@b', 'GATEHOUSE_REDIS_URL has no scheme; expected one of redis://, '],
    ['redis://host:port', 'names no place to connect to; expected redis://host:6379'],
    ['rediss://u:secret@', 'names no place to connect to; expected rediss://host:6379'],
    ['unix:', 'names no place to connect to; expected unix:/run/redis.sock'],
    [
      'redis-sentinel:///name',
      'names no place to connect to; expected redis-sentinel://host:26379',
    ],
    ['redis-cluster://a:1,', 'names no place to connect to; expected redis-cluster://host:6379'],
  ])('do not take %s', (url, sentence) => {
    expect(problemOf({ GATEHOUSE_REDIS_URL: url })).toContain(sentence)
    expect(problemOf({ GATEHOUSE_REDIS_URL: url })).not.toContain('secret')
  })

  it.each(['a b', '../x', 'a:b', '{x}', 'x'.repeat(64)])('do not take the fleet "%s"', (fleet) => {
    expect(problemOf({ GATEHOUSE_REDIS_URL: 'redis://a', GATEHOUSE_FLEET: fleet })).toBe(
      `GATEHOUSE_FLEET is "${fleet}"; expected a name of letters, digits, ".", "_" and "-", such as main`,
    )
  })

  it('have defaults for the fleet and the folder', () => {
    expect(readFleet({})).toBe('main')
    expect(readDataDir({})).toBe(resolve(import.meta.dirname, '../../../.gatehouse'))
    expect(readDataDir({ GATEHOUSE_DATA: 'there' })).toBe(resolve('there'))
  })
})
