import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readSecretKeys } from '@gatehouse/events'
import { ensureSecretKey } from './secret-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-up-key-'))
const path = join(folder, 'secret.key')
afterEach(() => rmSync(path, { force: true }))

describe('the secret key of this machine', () => {
  it('O7 F14 is made once, for this user only, where every program looks for it', () => {
    ensureSecretKey(folder, {})
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const made = readFileSync(path, 'utf8')
    expect(made).toMatch(/^[0-9a-f]{64}\n$/)
    ensureSecretKey(folder, {})
    expect(readFileSync(path, 'utf8')).toBe(made)
    expect(readSecretKeys({ GATEHOUSE_DATA: folder })).toHaveLength(1)
  })

  it('O7 is not made where somebody gives one, nor over one that cannot be used', () => {
    ensureSecretKey(folder, { GATEHOUSE_SECRET_KEY: 'f'.repeat(64) })
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined()
    writeFileSync(path, 'half a ke', { mode: 0o600 })
    expect(() => ensureSecretKey(folder, {})).toThrow(/has 9 characters that are not a key/)
    expect(readFileSync(path, 'utf8')).toBe('half a ke')
  })
})
