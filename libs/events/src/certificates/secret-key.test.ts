import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readSecretKeys, requireSecretKeys, SECRET_KEY_FILE } from './secret-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-secret-'))
afterAll(() => rmSync(folder, { recursive: true }))

const HEX = '0123456789abcdef'.repeat(4)
const BASE64 = Buffer.from(HEX, 'hex').toString('base64')

const fileWith = (text: string, mode: number, name = 'key'): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

describe('the secret key', () => {
  it('O7 is the same in hexadecimal and in base64, from a variable or a file', () => {
    const ids = [
      { GATEHOUSE_SECRET_KEY: HEX },
      { GATEHOUSE_SECRET_KEY: ` ${BASE64}\n` },
      { GATEHOUSE_SECRET_KEY: Buffer.from(HEX, 'hex').toString('base64url') },
      { GATEHOUSE_SECRET_KEY_FILE: fileWith(`${HEX}\n`, 0o600) },
    ].map((environment) => readSecretKeys(environment)?.[0].id)
    expect(new Set(ids).size).toBe(1)
    expect(ids[0]).toMatch(/^[0-9a-f]{8}$/)
  })

  it('O7 is the one that npm start has made, when nothing else is set', () => {
    expect(readSecretKeys({ GATEHOUSE_DATA: folder })).toBeUndefined()
    fileWith(HEX, 0o600, SECRET_KEY_FILE)
    expect(readSecretKeys({ GATEHOUSE_DATA: folder })).toHaveLength(1)
  })

  it('O7 may be several, of which the first seals', () => {
    const keys = readSecretKeys({ GATEHOUSE_SECRET_KEY: `${'f'.repeat(64)}, ${BASE64}` })
    expect(keys?.map(({ bytes }) => bytes.toString('hex'))).toEqual(['f'.repeat(64), HEX])
  })

  it.each([
    ['too short', { GATEHOUSE_SECRET_KEY: 'abc' }, /^GATEHOUSE_SECRET_KEY has 3 characters that/],
    [
      'wrong in its second place',
      { GATEHOUSE_SECRET_KEY: `${HEX},hunter2` },
      /^GATEHOUSE_SECRET_KEY, key 2, has 7 characters that are not a key; expected 32 bytes/,
    ],
    ['empty between commas', { GATEHOUSE_SECRET_KEY: `${HEX},` }, /key 2, has 0 characters/],
    [
      'nine at once',
      { GATEHOUSE_SECRET_KEY: Array(9).fill(HEX).join() },
      /holds 9 keys; at most 8/,
    ],
    [
      'in both places',
      { GATEHOUSE_SECRET_KEY: HEX, GATEHOUSE_SECRET_KEY_FILE: '/x' },
      /are both set; expected one of them$/,
    ],
    [
      'in a file that is not there',
      { GATEHOUSE_SECRET_KEY_FILE: join(folder, 'none') },
      /none cannot be read \(ENOENT\); make one with: openssl rand -hex 32$/,
    ],
  ])('O7 is refused when it is %s, without being repeated', (_what, environment, message) => {
    const read = () => readSecretKeys(environment)
    expect(read).toThrow(message)
    expect(read).not.toThrow(/hunter2/)
  })

  it('O7 is refused in a file that others may read, and in one that a group may write', () => {
    for (const mode of [0o604, 0o644, 0o620]) {
      const environment = { GATEHOUSE_SECRET_KEY_FILE: fileWith(HEX, mode) }
      expect(() => readSecretKeys(environment)).toThrow(
        /is open to others \(mode \d+\); expected 600$/,
      )
    }
  })

  it('O7 is asked for with what to do where there is no going on without', () => {
    const nowhere = { GATEHOUSE_DATA: join(folder, 'nothing') }
    expect(() => requireSecretKeys(nowhere)).toThrow(
      /set GATEHOUSE_SECRET_KEY_FILE or GATEHOUSE_SECRET_KEY/,
    )
  })
})
