/**
 * One real, durable Redis server for the whole test run, shared by every project that asks for it.
 * Tests keep apart by a fleet name of their own, never by emptying the server.
 *
 * ```ts
 * const redisUrl = inject('redisUrl') // unix://…
 * const redisTcpUrl = inject('redisTcpUrl') // redis://127.0.0.1:…, for a relay that can be cut
 * ```
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { findRedisServer, startRedisServer } from '../../apps/cmd/src/up/redis-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string
    redisTcpUrl: string
  }
}

interface SharedRedis {
  users: number
  readonly ready: Promise<RunningRedis>
}

interface RunningRedis {
  readonly url: string
  readonly tcpUrl: string
  readonly stop: () => Promise<void>
}

// Vitest loads this file anew for each project, so what they share lies on the global object.
const shared = globalThis as typeof globalThis & { gatehouseTestRedis?: SharedRedis }

/** Runs once per project before its first test; the last project to finish stops the server. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = (shared.gatehouseTestRedis ??= { users: 0, ready: start() })
  redis.users += 1
  const { url, tcpUrl, stop } = await redis.ready
  project.provide('redisUrl', url)
  project.provide('redisTcpUrl', tcpUrl)
  return async () => {
    redis.users -= 1
    if (redis.users > 0) return
    delete shared.gatehouseTestRedis
    await stop()
  }
}

async function start(): Promise<RunningRedis> {
  const root = dirname(dirname(import.meta.dirname))
  const binary = await findRedisServer({
    cacheDir: join(root, '.gatehouse', 'cache'),
    environment: process.env,
    onProgress: (sentence) => process.stderr.write(`${sentence}\n`),
  })
  if ('missing' in binary) throw new Error(binary.missing)

  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-test-'))
  const port = await freePort()
  const socketPath = join(folder, 'redis.sock')
  const server = await startRedisServer({ binary, socketPath, dataDir: folder, port })
  const forget = (): void => rmSync(folder, { recursive: true, force: true })
  // An interrupted run leaves no server behind either.
  const endAtExit = (): void => {
    if (server.pid !== undefined) process.kill(server.pid, 'SIGKILL')
    forget()
  }
  process.once('exit', endAtExit)
  return {
    url: server.url,
    tcpUrl: `redis://127.0.0.1:${port}`,
    stop: async () => {
      process.off('exit', endAtExit)
      await server.stop()
      forget()
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No free port was found.')
  return address.port
}
