/** A link to Redis, and in one sentence what is wrong when Redis cannot be used. */
import type { Cluster, Redis } from 'ioredis'
import { connect, openStream, type Patience, type RedisStream } from './redis-connect.ts'

/** Redis cannot be reached. The message names the address, without its password. */
export class ControlPlaneUnreachable extends Error {
  override readonly name = 'ControlPlaneUnreachable'
}

/** Redis is there and cannot be used: too old, a replica, out of memory, not permitted. */
export class ControlPlaneUnfit extends Error {
  override readonly name = 'ControlPlaneUnfit'
}

export type { Patience } from './redis-connect.ts'

export interface RedisLink {
  readonly client: Redis | Cluster
  /** For people: without user name and password. */
  readonly address: string
  /** A connection of its own to the same Redis, with other patience if given: blocking reads need one. */
  readonly duplicate: (name: string, patience?: Patience) => RedisLink
  /**
   * A connection of its own for those who read replies themselves; undefined for a cluster. Throws what
   * the client throws.
   */
  readonly openStream: (name: string) => Promise<RedisStream | undefined>
  /** Why the link is down, or was the last time: commands are only told that it is. */
  readonly lastTrouble: () => Error | undefined
  readonly close: () => Promise<void>
}

export interface LinkOptions {
  /** How Redis lists the connection (CLIENT LIST). */
  readonly name: string
  /** Called once whenever the link goes down, with the reason, and when it is back. */
  readonly onTrouble?: (reason: string) => void
  readonly onRecovered?: () => void
  readonly patience?: Patience
}

const VERSION_MIN = [7, 0] as const

export const openRedis = (url: string, options: LinkOptions): RedisLink => {
  const address = withoutPassword(url)
  const { patience = 'brief' } = options
  const client = connect(url, options.name, patience)
  let down = false
  let lastTrouble: Error | undefined
  client.on('error', (error: Error) => {
    lastTrouble = error
    if (!down) options.onTrouble?.(error.message === '' ? codeOf(error) : error.message)
    down = true
  })
  client.on('ready', () => {
    if (down) options.onRecovered?.()
    down = false
  })
  return {
    client,
    address,
    duplicate: (name, ownPatience = patience) =>
      openRedis(url, { ...options, name, patience: ownPatience }),
    openStream: (name) => openStream(url, name),
    lastTrouble: () => lastTrouble,
    close: async () => {
      client.disconnect()
      await Promise.resolve()
    },
  }
}

export interface RedisFacts {
  readonly version: string
  /** What an operator should change, one sentence each. */
  readonly warnings: readonly string[]
}

/** Throws when Redis cannot serve as a log: unreachable, older than 7.0, or read-only. */
export const checkRedis = async (link: RedisLink): Promise<RedisFacts> => {
  const info = await using(link, (client) => client.info())
  const facts = parseInfo(info)
  const version = facts.get('redis_version') ?? 'unknown'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < VERSION_MIN[0] || (major === VERSION_MIN[0] && minor < VERSION_MIN[1])) {
    throw new ControlPlaneUnfit(
      `Redis at ${link.address} is version ${version}; expected at least ${VERSION_MIN.join('.')}`,
    )
  }
  if (facts.get('role') === 'slave') {
    throw new ControlPlaneUnfit(
      `Redis at ${link.address} is a read-only replica; expected the primary (or a redis-sentinel:// address, which finds it)`,
    )
  }
  const warnings: string[] = []
  if (facts.get('aof_enabled') === '0') {
    warnings.push(
      'Redis runs without append-only file: a crash may lose what was deployed (appendonly yes)',
    )
  }
  const policy = facts.get('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    warnings.push(`Redis may evict keys (maxmemory-policy ${policy}); expected noeviction`)
  }
  return { version, warnings }
}

/** Runs something against Redis and turns what goes wrong into one of the two errors above. */
export const using = async <Answer>(
  link: RedisLink,
  run: (client: Redis | Cluster) => Promise<Answer>,
): Promise<Answer> => {
  try {
    return await run(link.client)
  } catch (error) {
    throw asControlPlaneError(
      isOfTheLink(error) ? (link.lastTrouble() ?? error) : error,
      link.address,
    )
  }
}

/** What the client says of a command when its connection is the trouble. */
const isOfTheLink = (error: unknown): boolean =>
  error instanceof Error &&
  (error.message === 'Connection is closed.' || error.name === 'MaxRetriesPerRequestError')

const asControlPlaneError = (error: unknown, address: string): Error => {
  if (!(error instanceof Error)) return new ControlPlaneUnreachable(String(error))
  if (error instanceof ControlPlaneUnfit || error instanceof ControlPlaneUnreachable) return error
  const code = /^[A-Z]+/.exec(error.message)?.[0]
  const unfit = code === undefined ? undefined : UNFIT[code]
  if (error.name === 'ReplyError' || unfit !== undefined) {
    return new ControlPlaneUnfit(
      `Redis at ${address} ${unfit ?? 'refused a command'}: ${error.message}`,
      { cause: error },
    )
  }
  return new ControlPlaneUnreachable(`Redis at ${address} cannot be reached: ${reasonOf(error)}`, {
    cause: error,
  })
}

const UNFIT: Readonly<Record<string, string>> = {
  READONLY: 'is a read-only replica; expected the primary',
  OOM: 'is out of memory and refuses to write',
  MISCONF: 'cannot persist and refuses to write',
  NOPERM: 'does not permit this user to do that',
  NOAUTH: 'expects a password',
  WRONGPASS: 'does not accept the password',
  WRONGTYPE: 'holds something else under a key of Gatehouse',
  LOADING: 'is still loading its data',
}

const reasonOf = (failure: Error): string => {
  // A cluster tells of its nodes together, and keeps what the last one said.
  const error =
    'lastNodeError' in failure && failure.lastNodeError instanceof Error
      ? failure.lastNodeError
      : failure
  const code = codeOf(error)
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ENOENT') return 'there is no such socket'
  return error.message === '' ? code : error.message
}

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.name

/** The URL for people: user name and password taken out. */
export const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, '//')

const parseInfo = (info: string): Map<string, string> =>
  new Map(
    info.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':')
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : []
    }),
  )
