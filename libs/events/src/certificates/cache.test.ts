import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openBundleCache } from './cache.ts'

const folder = join(mkdtempSync(join(tmpdir(), 'gatehouse-cache-')), 'certificates')
afterAll(() => rmSync(join(folder, '..'), { recursive: true }))
const [one, other] = ['a'.repeat(64), 'b'.repeat(64)]

describe('the local cache of bundles', () => {
  it('F14 O7 keeps each under its fingerprint, in files for this user only', async () => {
    const cache = await openBundleCache(folder)
    await cache.write(one, 'v1.sealed', 0)
    expect(readdirSync(folder)).toEqual([`${one}.sealed`])
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, `${one}.sealed`)).mode & 0o777).toBe(0o600)
    expect(await cache.read(one)).toBe('v1.sealed')
    expect(await cache.read(other)).toBeUndefined()
  })

  it('F14 replaces a file whole: whoever has the old one open still reads all of it', async () => {
    const cache = await openBundleCache(folder)
    await cache.write(one, 'before', 0)
    const before = statSync(join(folder, `${one}.sealed`)).ino
    const writes = Array.from({ length: 20 }, (_, n) => cache.write(one, `${n}`.repeat(10_000), 0))
    const reads = await Promise.all(writes.map(() => cache.read(one)))
    await Promise.all(writes)
    for (const read of reads) expect(read === 'before' || /^(\d+?)\1+$/.test(read ?? '')).toBe(true)
    expect(statSync(join(folder, `${one}.sealed`)).ino).not.toBe(before)
    expect(readdirSync(folder)).toEqual([`${one}.sealed`])
  })

  it('F14 lists what it has, passes over what is not its own, and forgets what is removed', async () => {
    const cache = await openBundleCache(folder)
    await cache.write(other, 'x', 0)
    writeFileSync(join(folder, 'notes.txt'), '')
    writeFileSync(join(folder, `${one}.sealed.1234`), 'half')
    expect((await cache.list()).toSorted()).toEqual([one, other])
    await cache.remove(other)
    await cache.remove(other)
    expect(await cache.list()).toEqual([one])
  })

  it('F14 makes no path of what is not a fingerprint', async () => {
    const cache = await openBundleCache(folder)
    await expect(cache.read('../secret')).rejects.toThrow('"../secret" is not a fingerprint')
  })
})
