/** The Redis that everything here uses: the one that was named, or a private one. */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { REDIS_URL_FILE, type Environment } from '@gatehouse/events'
import type { Output } from '../output/output.ts'
import {
  findRedisServer,
  redisSocketPath,
  startRedisServer,
  type MissingRedis,
  type RedisServer,
} from './redis-server.ts'
import type { UpSettings } from './settings.ts'

export interface UpRedis {
  readonly url: string
  readonly kind: 'given' | 'private'
  /** Resolves when the signal is aborted; until then a private server that ends is started again. */
  readonly keep: (signal: AbortSignal) => Promise<void>
  /** Stops a server that an `up` started; one that was there before goes on. */
  readonly stop: () => Promise<void>
  /** The same, without waiting. What was acknowledged is on disk. */
  readonly kill: () => void
}

const RESTART_MS = 1_000

export const startRedis = async (
  settings: UpSettings,
  environment: Environment,
  output: Output,
): Promise<UpRedis | MissingRedis> => {
  const { dataDir, redisUrl } = settings
  await mkdir(dataDir, { recursive: true }).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`The data folder ${dataDir} cannot be made (${why}); set GATEHOUSE_DATA`, {
      cause,
    })
  })
  if (redisUrl !== undefined) {
    await leaveUrl(dataDir, redisUrl)
    return given(redisUrl)
  }

  const binary = await findRedisServer({
    cacheDir: join(dataDir, 'cache'),
    environment,
    onProgress: output.step,
  })
  if ('missing' in binary) return binary
  const redisDir = join(dataDir, 'redis')
  const open = () =>
    startRedisServer({ binary, socketPath: redisSocketPath(dataDir), dataDir: redisDir })
  let server = await open()
  const ours = await isOurs(server, redisDir)
  await leaveUrl(dataDir, server.url)
  return {
    url: server.url,
    kind: 'private',
    keep: async (signal) => {
      while (!signal.aborted) {
        await Promise.race([server.ended, aborted(signal)])
        if (signal.aborted) return
        output.warn(
          `Redis ended and is started again; its log is in ${join(redisDir, 'redis.log')}`,
        )
        await wait(RESTART_MS, undefined, { signal })
        server = await open()
      }
    },
    stop: async () => {
      if (!ours) return
      await server.stop()
      await rm(markIn(redisDir), { force: true })
    },
    kill: () => {
      if (ours && server.pid !== undefined) process.kill(server.pid, 'SIGTERM')
    },
  }
}

const given = (url: string): UpRedis => ({
  url,
  kind: 'given',
  keep: aborted,
  stop: () => Promise.resolve(),
  kill: () => {},
})

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/**
 * A server that an earlier `up` started and could not stop, because it was killed, is ours again. The
 * mark is left when one is started, and taken away when it is stopped.
 */
const isOurs = async (server: RedisServer, redisDir: string): Promise<boolean> => {
  const mark = markIn(redisDir)
  if (!server.reused) {
    await writeFile(mark, '')
    return true
  }
  return stat(mark).then(
    () => true,
    () => false,
  )
}

const markIn = (redisDir: string): string => join(redisDir, 'started-by-up')

/** Where `npm run cmd`, a worker or a proxy finds Redis when nobody tells it. */
const leaveUrl = (dataDir: string, url: string): Promise<void> =>
  writeFile(join(dataDir, REDIS_URL_FILE), `${url}\n`, { mode: 0o600 })
