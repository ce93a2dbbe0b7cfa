/**
 * The only place that makes connections to Redis: one server, a socket, Sentinel or Cluster, from one
 * URL. It also says in one sentence what is wrong when Redis cannot be used.
 */
import { Cluster, Redis, type RedisOptions } from 'ioredis'

/** Redis cannot be reached. The message names the address, without its password. */
export class ControlPlaneUnreachable extends Error {
  override readonly name = 'ControlPlaneUnreachable'
}

/** Redis is there and cannot be used: too old, a replica, out of memory, not permitted. */
export class ControlPlaneUnfit extends Error {
  override readonly name = 'ControlPlaneUnfit'
}

export interface RedisLink {
  readonly client: Redis | Cluster
  /** For people: without user name and password. */
  readonly address: string
  /** A connection of its own to the same Redis, with other patience if given: blocking reads need one. */
  readonly duplicate: (name: string, patience?: Patience) => RedisLink
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

/**
 * `brief` gives up after a few seconds and lets commands fail: for programs that answer somebody.
 * `endless` keeps trying, and commands wait: for programs that go on without Redis meanwhile.
 * `none` keeps trying too, but commands fail as soon as the link is down or silent: for followers,
 * who ask something all the time and have to know at once.
 */
export type Patience = 'brief' | 'endless' | 'none'

const CONNECT_MS_MAX = 3_000
const DISCONNECT_MS_MAX = 20
const BRIEF_TRIES = 2
const RETRY_MS = 100
const RETRY_MS_MAX = 1_000
/** A follower's blocking reads answer every second, so a link that is silent for longer is dead. */
const SILENCE_MS_MAX = 5_000
/** For so long, connecting anew to a read-only Redis counts as one attempt to find the primary. */
const READ_ONLY_TRIES_MS = 1_000
const VERSION_MIN = [7, 0] as const

export const openRedis = (url: string, options: LinkOptions): RedisLink => {
  const address = withoutPassword(url)
  const client = connect(url, options)
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
    duplicate: (name, patience = options.patience ?? 'brief') =>
      openRedis(url, { ...options, name, patience }),
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

const connect = (url: string, options: LinkOptions): Redis | Cluster => {
  const { patience = 'brief' } = options
  const common = {
    connectionName: `gatehouse-${options.name}`,
    connectTimeout: CONNECT_MS_MAX,
    // A blocked read keeps its socket open: whoever closes a link does not wait for it.
    disconnectTimeout: DISCONNECT_MS_MAX,
    maxRetriesPerRequest: { brief: BRIEF_TRIES, endless: null, none: 0 }[patience],
    ...(patience === 'none' ? { socketTimeout: SILENCE_MS_MAX } : {}),
    retryStrategy: (tries: number) =>
      patience === 'brief' && tries > BRIEF_TRIES ? null : Math.min(RETRY_MS * tries, RETRY_MS_MAX),
    reconnectOnError: createReadOnlyRule(),
  } satisfies RedisOptions
  const several = /^redis-(sentinel|cluster):\/\/(?:([^@/]*)@)?([^/?]+)(?:\/([^/?]*))?/.exec(url)
  if (several === null) {
    return url.startsWith('unix:')
      ? new Redis({ ...common, path: url.slice('unix:'.length).replace(/^\/\/(?=\/)/, '') })
      : new Redis(url, common)
  }
  const [, kind, credentials, hosts = '', name] = several
  const nodes = hosts.split(',').map((each) => {
    const [host = '', port] = each.split(':')
    return { host, port: Number(port ?? (kind === 'sentinel' ? 26_379 : 6_379)) }
  })
  const [username, password] = (credentials ?? '').split(':').map(decodeURIComponent)
  const login = {
    ...(username === undefined || username === '' ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  }
  return kind === 'sentinel'
    ? new Redis({
        ...common,
        ...login,
        sentinels: nodes,
        name: name === undefined || name === '' ? 'mymaster' : name,
        failoverDetector: true,
      })
    : new Cluster(nodes, { redisOptions: { ...common, ...login } })
}

/**
 * A failover leaves the old primary read-only: connecting anew finds the new one, and the command is sent
 * again. When that has not helped, it fails, or else it would go round for ever.
 */
const createReadOnlyRule = (): ((error: Error) => 2 | false) => {
  let tries = 0
  let firstTryAt = 0
  return (error) => {
    if (!error.message.startsWith('READONLY')) return false
    const now = performance.now()
    if (now - firstTryAt > READ_ONLY_TRIES_MS) {
      tries = 0
      firstTryAt = now
    }
    return ++tries <= BRIEF_TRIES ? 2 : false
  }
}

/** The URL for people: user name and password taken out. */
export const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, '//')

const parseInfo = (info: string): Map<string, string> =>
  new Map(
    info.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':')
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : []
    }),
  )
