/** One run's connection to the fleet: the log, the fleet's presence, and where words go. */
import {
  checkRedis,
  ControlPlaneUnreachable,
  createRedisLog,
  openRedis,
  readFleet,
  readFleetSettings,
  type EventLog,
  type Fleet,
  type RedisFacts,
  type RedisLink,
} from '@gatehouse/events'
import type { Io } from './io.ts'
import type { Output } from './output/output.ts'

export interface Session {
  readonly io: Io
  readonly output: Output
  readonly fleet: string
  readonly log: EventLog
  /** The fleet's Redis, for what is no event. */
  readonly link: RedisLink
  readonly redis: RedisFacts
  /** Throws `ControlPlaneUnreachable` when Redis is away; the next call tries again. */
  readonly readFleet: () => Promise<Fleet>
  readonly interrupted: AbortSignal
}

/**
 * Opens a session, hands it to `use` and closes it whatever happens. Throws `InvalidSetting` when
 * nothing says where Redis is, `ControlPlaneUnreachable` or `ControlPlaneUnfit` when it is no use.
 */
export const withSession = async <Result>(
  io: Io,
  output: Output,
  use: (session: Session) => Promise<Result>,
): Promise<Result> => {
  const { redisUrl, fleet } = readFleetSettings(io.environment)
  const links = createLinks(redisUrl)
  try {
    const link = links.brief()
    const redis = await checkRedis(link)
    const log = createRedisLog(link, fleet)
    return await use({
      io,
      output,
      fleet,
      link,
      log: {
        ...log,
        // Following goes on through restarts of Redis, so its link must not give up.
        follow: (after, signal) =>
          endingWith(signal, createRedisLog(links.endless(), fleet).follow(after, signal)),
      },
      redis,
      readFleet: async () => {
        try {
          return await readFleet(links.brief(), fleet)
        } catch (error) {
          if (error instanceof ControlPlaneUnreachable) links.giveUpBrief()
          throw error
        }
      },
      interrupted: io.interrupted,
    })
  } finally {
    await links.close()
  }
}

/** A read that waits for a Redis that is away does not end by itself; a command that is told to does. */
async function* endingWith<Item>(
  signal: AbortSignal,
  source: AsyncIterable<Item>,
): AsyncIterable<Item> {
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>()
  const stop = (): void => resolve(undefined)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = iterator.next()
      // Given up on, it may fail later when nobody listens any more.
      next.catch(() => {})
      const result = await Promise.race([next, aborted])
      if (result === undefined || result.done === true) return
      yield result.value
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

interface Links {
  /** Fails after a few seconds without Redis, so that somebody can be told. */
  readonly brief: () => RedisLink
  /** A brief link that failed stays dead: the next one is new. */
  readonly giveUpBrief: () => void
  readonly endless: () => RedisLink
  readonly close: () => Promise<void>
}

const createLinks = (url: string): Links => {
  const opened = new Set<RedisLink>()
  let brief: RedisLink | undefined
  let endless: RedisLink | undefined
  const open = (patience: 'brief' | 'endless'): RedisLink => {
    const link = openRedis(url, { name: 'cmd', patience })
    opened.add(link)
    return link
  }
  return {
    brief: () => (brief ??= open('brief')),
    giveUpBrief: () => {
      brief = undefined
    },
    endless: () => (endless ??= open('endless')),
    close: async () => {
      await Promise.all([...opened].map((link) => link.close()))
    },
  }
}
