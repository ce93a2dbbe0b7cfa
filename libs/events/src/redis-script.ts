/** A Lua script that Redis knows by its digest, so that a call does not carry its text. */
import { hash } from 'node:crypto'
import { using, type RedisLink } from './redis.ts'

export interface RedisScript {
  /** Throws `ControlPlaneUnreachable` or `ControlPlaneUnfit`. What it answers depends on the script. */
  readonly run: (
    link: RedisLink,
    keys: readonly string[],
    args: readonly (string | number)[],
  ) => Promise<unknown>
}

export const redisScript = (text: string): RedisScript => {
  const digest = hash('sha1', text)
  return {
    run: (link, keys, args) =>
      using(link, async (client) => {
        try {
          return await client.evalsha(digest, keys.length, ...keys, ...args)
        } catch (error) {
          // A Redis that was restarted has forgotten it. EVAL teaches it again.
          if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
          return client.eval(text, keys.length, ...keys, ...args)
        }
      }),
  }
}
