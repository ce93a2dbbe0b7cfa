/** What `npm start` has started, asked of the fleet itself. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { command } from './command.ts'

export interface Started {
  /** The process of every live proxy by its name, and of the worker. */
  readonly members: () => Promise<Readonly<Record<string, number>>>
  readonly redisUrl: () => Promise<string>
  /** Throws when it does not run. */
  readonly redisPid: () => Promise<number>
  /** The ports of the example's releases, which move when somebody else has them. */
  readonly examplePorts: () => Promise<readonly number[]>
}

/** With GATEHOUSE_DATA among the settings. */
export const startedWith = (
  settings: Readonly<Record<string, string>> & { readonly GATEHOUSE_DATA: string },
): Started => {
  const redisUrl = async (): Promise<string> =>
    (await readFile(join(settings.GATEHOUSE_DATA, 'redis.url'), 'utf8')).trim()
  return {
    members: async () => {
      const { stdout, stderr } = await command(settings, 'fleet', '--json')
      if (stdout === '') throw new Error(stderr)
      const found: readonly { id: string; kind: string; pid: number; live: boolean }[] =
        JSON.parse(stdout).members
      return Object.fromEntries(
        found
          .filter(({ live }) => live)
          .map(({ id, kind, pid }) => [kind === 'proxy' ? id : kind, pid]),
      )
    },
    redisUrl,
    redisPid: async () => {
      const redis = new Redis((await redisUrl()).replace('unix://', ''), {
        retryStrategy: () => null,
      })
      redis.on('error', () => undefined)
      try {
        return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1])
      } finally {
        redis.disconnect()
      }
    },
    examplePorts: async () => {
      const { stdout } = await command(settings, 'show', 'hello')
      return [...stdout.matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)].map(([, found]) => Number(found))
    },
  }
}
