/** A durable Redis server for one test alone, which may stop it and start it again with its data. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedisServer, startRedisServer } from '../../apps/cmd/src/up/redis-server.ts'
import { ROOT } from './process.ts'

export interface OwnRedis extends AsyncDisposable {
  readonly url: string
  readonly stop: () => Promise<void>
  /** With everything that was acknowledged before. */
  readonly start: () => Promise<void>
}

export const startOwnRedis = async (): Promise<OwnRedis> => {
  const binary = await findRedisServer({
    cacheDir: join(ROOT, '.gatehouse', 'cache'),
    environment: process.env,
    onProgress: () => undefined,
  })
  if ('missing' in binary) throw new Error(binary.missing)
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-own-'))
  const begin = () => startRedisServer({ binary, dataDir, socketPath: join(dataDir, 'redis.sock') })
  let server = await begin()
  return {
    url: server.url,
    stop: () => server.stop(),
    start: async () => {
      server = await begin()
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
