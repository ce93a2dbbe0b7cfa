/** Redis servers of a test's own, for what must not happen to the one that all tests share. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import {
  createRedisLog,
  fleetTag,
  openRedis,
  type EventLog,
  type LinkOptions,
  type RedisLink,
} from '@gatehouse/events'
import {
  findRedisServer,
  startRedisServer,
  type RedisServer,
} from '../../../apps/cmd/src/up/redis-server.ts'
import { freePort } from '../../support/free-port.ts'

const CACHE_DIR = join(import.meta.dirname, '../../../.gatehouse/cache')

export interface OwnRedis extends AsyncDisposable {
  readonly url: string
  readonly tcpUrl: string
  /** Ends it without warning, as a power cut would. */
  readonly kill: () => Promise<void>
  /** Starts it again on what it has kept. */
  readonly start: () => Promise<void>
}

export const startOwnRedis = async (): Promise<OwnRedis> => {
  const folder = await mkdtemp(join(tmpdir(), 'gh-ev-'))
  const binary = await findRedisServer({ cacheDir: CACHE_DIR, environment: process.env })
  if ('missing' in binary) throw new Error(binary.missing)
  const port = await freePort()
  let server: RedisServer
  const start = async (): Promise<void> => {
    const socketPath = join(folder, 'r.sock')
    server = await startRedisServer({ binary, socketPath, dataDir: join(folder, 'data'), port })
  }
  await start()
  return {
    url: `unix://${join(folder, 'r.sock')}`,
    tcpUrl: `redis://127.0.0.1:${port}`,
    start,
    kill: async () => {
      process.kill(server.pid ?? Number.NaN, 'SIGKILL')
      await server.ended
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface TestLog extends AsyncDisposable {
  readonly log: EventLog
  readonly link: RedisLink
  readonly fleet: string
  readonly eventsKey: string
}

/** A fleet that nobody else knows, on the shared Redis or another. */
export const openLog = (
  url: string = inject('redisUrl'),
  more: Partial<LinkOptions> & { readonly fleet?: string } = {},
): TestLog => {
  const { fleet = `test-${randomUUID()}`, ...options } = more
  const link = openRedis(url, { name: 'test', patience: 'endless', ...options })
  return {
    log: createRedisLog(link, fleet),
    link,
    fleet,
    eventsKey: `${fleetTag(fleet)}:events`,
    [Symbol.asyncDispose]: () => link.close(),
  }
}
