/**
 * Sealed bundles in a folder of a proxy's own, so that it serves TLS while Redis is away. What is on
 * disk is what lies in Redis, so that nobody who copies the disk has a key.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SealedBundles } from './store.ts'

export interface BundleCache extends SealedBundles {
  /** Fingerprints of all that is there. */
  readonly list: () => Promise<readonly string[]>
}

const ENDING = '.sealed'
const FINGERPRINT = /^[0-9a-f]{64}$/

/** Throws when the folder cannot be made. The folder is for this user only, and so are its files. */
export const openBundleCache = async (folder: string): Promise<BundleCache> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return {
    list: async () =>
      (await readdir(folder)).flatMap((name) => {
        const fingerprint = name.slice(0, -ENDING.length)
        return name.endsWith(ENDING) && FINGERPRINT.test(fingerprint) ? [fingerprint] : []
      }),
    read: async (fingerprint) => {
      try {
        return await readFile(pathOf(folder, fingerprint), 'utf8')
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
        throw error
      }
    },
    write: (fingerprint, sealed) => replaceFile(pathOf(folder, fingerprint), sealed),
    remove: (fingerprint) => rm(pathOf(folder, fingerprint), { force: true }),
  }
}

const pathOf = (folder: string, fingerprint: string): string => {
  // It becomes part of a path, whoever wrote it into the log.
  if (!FINGERPRINT.test(fingerprint)) throw new Error(`"${fingerprint}" is not a fingerprint`)
  return join(folder, `${fingerprint}${ENDING}`)
}

/** Whoever reads the path finds all of the old or all of the new, even after a crash. */
const replaceFile = async (path: string, content: string): Promise<void> => {
  const temporary = `${path}.${randomUUID()}`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
