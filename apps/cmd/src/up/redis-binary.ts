/**
 * Which Redis server to run: the machine's own if it is recent enough, else the private copy that
 * an earlier start put into the cache, else a private copy fetched now.
 */
import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { fetchPrivateCopy, findPrivateCopy, type Packaged } from './private-copy.ts'

const run = promisify(execFile)
const names = ['redis-server', 'valkey-server'] as const
/** The log's trimming and the access rules need 7.0. */
const majorMin = 7
const packaged: Packaged = {
  package: 'redis-server',
  program: 'usr/bin/redis-server',
  bareNeeds: ['redis-server', 'redis-tools', 'libatomic1', 'libjemalloc2', 'liblzf1'],
}
const versionWithinMs = 5_000

type Environment = Readonly<Record<string, string | undefined>>

export interface RedisBinary {
  readonly path: string
  /** The whole environment to run it in. It has no secrets of ours. */
  readonly env: Readonly<Record<string, string>>
  /** Such as `7.0.15`. */
  readonly version: string
}

/** There is none, and why, in one sentence that says what to do. */
export interface MissingRedis {
  readonly missing: string
}

export interface FindRedisOptions {
  /** Where private copies are kept, such as `.gatehouse/cache`. */
  readonly cacheDir: string
  /** The caller's environment: PATH is searched, and fetching needs its proxy settings. */
  readonly environment: Environment
  /** Told in a short sentence what takes long. */
  readonly onProgress?: (sentence: string) => void
}

/** Finds a Redis server that can be run, fetching one if need be (about ten seconds, once). */
export async function findRedisServer({
  cacheDir,
  environment,
  onProgress,
}: FindRedisOptions): Promise<RedisBinary | MissingRedis> {
  const path = environment['PATH'] ?? ''
  const installed = await onPath(path)
  if ('version' in installed) return installed

  const copyDir = join(cacheDir, 'redis')
  const cached = await findPrivateCopy(copyDir, packaged)
  const known = cached && (await recentEnough(cached.path, path, cached.libraryPath))
  if (known) return known

  onProgress?.('Fetching a private Redis server (once, about ten seconds) …')
  const fetched = await fetchPrivateCopy({ copyDir, packaged, environment })
  if (fetched.kind === 'failed') return missing(`${installed.missing} ${fetched.reason}`)
  const copy = await recentEnough(fetched.path, path, fetched.libraryPath)
  return copy ?? missing(`The private copy in ${copyDir} does not run, or is older than 7.0.`)
}

async function onPath(path: string): Promise<RedisBinary | MissingRedis> {
  const tooOld: string[] = []
  for (const folder of path.split(delimiter).filter((part) => part !== '')) {
    for (const name of names) {
      const file = join(folder, name)
      const executable = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (!executable) continue
      const binary = await recentEnough(file, path)
      if (binary) return binary
      tooOld.push(file)
    }
  }
  return {
    missing:
      tooOld.length > 0
        ? `Gatehouse needs Redis ${majorMin}.0 or newer, which ${tooOld.join(', ')} is not.`
        : 'There is no redis-server on the PATH.',
  }
}

async function recentEnough(
  file: string,
  path: string,
  libraryPath?: string,
): Promise<RedisBinary | undefined> {
  const env = {
    PATH: path,
    LC_ALL: 'C',
    ...(libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath }),
  }
  const output = await run(file, ['--version'], { env, timeout: versionWithinMs }).then(
    ({ stdout }) => stdout,
    () => '',
  )
  const version = /\bv=(\d+\.\d+\.\d+)/.exec(output)?.[1]
  if (version === undefined || Number.parseInt(version, 10) < majorMin) return undefined
  return { path: file, env, version }
}

function missing(reason: string): MissingRedis {
  return {
    missing:
      `${reason} Install one (Debian and Ubuntu: apt-get install redis-server; ` +
      'macOS: brew install redis), or name a running one in GATEHOUSE_REDIS_URL.',
  }
}
