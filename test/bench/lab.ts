/**
 * Where measurements are made: a folder that goes away, Redis servers of our own, and processes. What
 * the lab starts it ends, whichever way the bench ends.
 */
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { openRedis } from '@gatehouse/events'
import {
  findRedisServer,
  startRedisServer,
  type RedisServer,
} from '../../apps/cmd/src/up/redis-server.ts'
import { findTool, type Missing, type Tool, type ToolName } from './data-path/tools.ts'
import { createProcesses, type Processes } from './processes.ts'

export interface Lab extends AsyncDisposable {
  readonly redisVersion: string
  readonly processes: Processes
  /** Where private copies of programs are kept. */
  readonly cacheDir: string
  /** Finds or fetches a program of others, once for all who ask. */
  readonly tool: (name: ToolName) => Promise<Tool | Missing>
  /** A new folder. */
  readonly folder: () => Promise<string>
  /**
   * A new Redis on a socket of its own. `durable` has every write on disk before the answer, as `npm
   * start` runs it; `in-memory` is for logs that are only read, and takes large ones quickly.
   */
  readonly startRedis: (keeps: 'durable' | 'in-memory') => Promise<LabRedis>
  /** Tells the person in front of the terminal what is going on. */
  readonly say: (sentence: string) => void
}

export interface LabRedis extends AsyncDisposable {
  readonly url: string
}

const CACHE = resolve(import.meta.dirname, '../../.gatehouse/cache')

/** Throws when no Redis can be found or fetched, with a sentence that says what to do. */
export const openLab = async (say: (sentence: string) => void): Promise<Lab> => {
  const binary = await findRedisServer({
    cacheDir: CACHE,
    environment: process.env,
    onProgress: say,
  })
  if ('missing' in binary) throw new Error(binary.missing)
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'))
  const processes = createProcesses()
  const servers = new Set<Promise<RedisServer>>()
  const pids = new Set<number>()
  const tools = new Map<ToolName, Promise<Tool | Missing>>()
  let folders = 0

  const tool: Lab['tool'] = (name) => {
    const asked =
      tools.get(name) ?? findTool(name, { cacheDir: CACHE, environment: process.env, say })
    tools.set(name, asked)
    return asked
  }
  const folder = (): Promise<string> => mkdtemp(join(root, `${++folders}-`))
  /** For an end that waits for nothing: a crash, or Ctrl-C pressed twice. */
  const endAtExit = (): void => {
    processes.kill()
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    rmSync(root, { recursive: true, force: true })
  }
  process.once('exit', endAtExit)

  return {
    redisVersion: binary.version,
    processes,
    cacheDir: CACHE,
    tool,
    folder,
    say,
    startRedis: async (keeps) => {
      const dataDir = await folder()
      const socketPath = join(dataDir, 'r.sock')
      const starting = startRedisServer({ binary, socketPath, dataDir })
      servers.add(starting)
      const server = await starting
      const { pid } = server
      if (pid !== undefined) {
        pids.add(pid)
        void server.ended.then(() => pids.delete(pid))
      }
      await settle(server.url, keeps)
      return {
        url: server.url,
        [Symbol.asyncDispose]: async () => {
          await server.stop()
          servers.delete(starting)
          await rm(dataDir, { recursive: true, force: true })
        },
      }
    },
    [Symbol.asyncDispose]: async () => {
      await processes[Symbol.asyncDispose]()
      // One that is still starting is waited for: nobody else would end it.
      await Promise.all([...servers].map(async (server) => (await server).stop()))
      await rm(root, { recursive: true, force: true })
      process.off('exit', endAtExit)
    },
  }
}

const settle = async (url: string, keeps: 'durable' | 'in-memory'): Promise<void> => {
  const link = openRedis(url, { name: 'bench' })
  try {
    // No rewrite of the append-only file may fall into a measurement.
    await link.client.config('SET', 'auto-aof-rewrite-percentage', '0')
    if (keeps === 'in-memory') await link.client.config('SET', 'appendonly', 'no')
  } finally {
    await link.close()
  }
}
