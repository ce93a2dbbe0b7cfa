/** Makes the connections: to one server, a socket, Sentinel or Cluster, from one URL. */
import type { Duplex } from 'node:stream'
import { Cluster, Redis, type RedisOptions } from 'ioredis'

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

export const connect = (url: string, name: string, patience: Patience): Redis | Cluster => {
  const common = {
    connectionName: `gatehouse-${name}`,
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
  const [, kind, credentials, hosts = '', group] = several
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
        name: group === undefined || group === '' ? 'mymaster' : group,
        failoverDetector: true,
      })
    : new Cluster(nodes, { redisOptions: { ...common, ...login } })
}

/** It does not come back by itself once it is lost. */
export interface RedisStream {
  readonly stream: Duplex
  readonly close: () => void
}

/**
 * A connection that the client has made and logged in, and that it does not read from any more. Undefined
 * for a cluster, where no single connection leads to everything. Throws what the client throws.
 */
export const openStream = async (url: string, name: string): Promise<RedisStream | undefined> => {
  // Its troubles are nobody's but the caller's: the link that it belongs to has its own.
  const client = connect(url, name, 'none')
  client.on('error', () => undefined)
  const close = (): void => client.disconnect()
  if (client instanceof Cluster) {
    close()
    return undefined
  }
  try {
    // What the client has asked before has been answered then.
    await client.ping()
  } catch (error) {
    close()
    throw error
  }
  const { stream } = client
  stream.removeAllListeners('data')
  stream.setTimeout(SILENCE_MS_MAX, close)
  stream.on('error', () => undefined)
  stream.once('close', close)
  return { stream, close }
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
