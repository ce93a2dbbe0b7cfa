/**
 * Follows the log from before a command's first event, and keeps the change that the command began up
 * to date. Redis may come and go meanwhile: the log's own follower sees to that.
 */
import type { EventLog, Followed, Place, Position } from '@gatehouse/events'
import { advance, type Change } from './change.ts'
import { createNews, type News } from './until.ts'

export interface Follower {
  /** Throws when the log can no longer be followed. */
  readonly change: () => Change
  readonly news: News
  readonly stop: () => Promise<void>
}

export interface FollowerOptions {
  readonly log: EventLog
  readonly change: Change
  /** A place before the first event of the command. */
  readonly after: Place
  /** The command's own events: they and what follows them decide the change. */
  readonly first: Position
  readonly last: Position
}

export const startFollower = ({
  log,
  change: initial,
  after,
  first,
  last,
}: FollowerOptions): Follower => {
  const controller = new AbortController()
  const news = createNews()
  let change = initial
  let failure: { readonly error: unknown } | undefined
  const take = (followed: Followed): void => {
    if (followed.kind === 'diverged' || followed.kind === 'gap') {
      const why = followed.kind === 'gap' ? `it begins at position ${followed.first}` : followed.why
      failure = {
        error: new Error(`the log is not the one that the command was appended to: ${why}`),
      }
    }
    if (followed.kind !== 'recorded') return
    const { recorded } = followed
    if (recorded.position < first) return
    change = advance(change, recorded, recorded.position <= last)
  }

  const following = follow(log, after, controller.signal, (batch) => {
    for (const followed of batch) take(followed)
    news.tell()
  }).catch((error: unknown) => {
    failure = { error }
    news.tell()
  })
  return {
    change: () => {
      if (failure !== undefined) throw failure.error
      return change
    },
    news,
    stop: async () => {
      controller.abort()
      await following
    },
  }
}

const follow = async (
  log: EventLog,
  after: Place,
  signal: AbortSignal,
  take: (followed: readonly Followed[]) => void,
): Promise<void> => {
  try {
    for await (const batch of log.follow(after, signal)) take(batch)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
