/** A follower of a log, and what it tells a data plane, its logger and those who wait for it. */
import type { Route } from '@gatehouse/domain'
import { openLocalCopy, type EventLog } from '@gatehouse/events'
import { pino } from 'pino'
import { startFollower, type Follower } from '../../../apps/proxy/src/control/follower.ts'

export interface Following extends AsyncDisposable {
  readonly follower: Follower
  /** What the data plane was told last, by service. */
  readonly routes: ReadonlyMap<string, Route>
  readonly said: () => readonly string[]
  readonly isReady: () => boolean
  /** How often there was something that others wait for. */
  readonly progress: () => number
}

/** A Redis that can be used. */
export const fit = (): Promise<void> => Promise.resolve()

/** Follows the log with a local copy in the folder. */
export const startFollowing = async (
  folder: string,
  log: EventLog,
  check: () => Promise<void>,
): Promise<Following> => {
  const copy = await openLocalCopy(folder, () => undefined)
  const routes = new Map<string, Route>()
  const lines: string[] = []
  const ending = new AbortController()
  let progress = 0
  let isReady = false
  const follower = startFollower({
    log,
    check,
    copy,
    dataPlane: {
      setRoute: (service, route) => {
        if (route === undefined) routes.delete(service)
        else routes.set(service, route)
      },
    },
    certificates: { prepare: () => undefined, follow: () => {} },
    now: () => 1_000,
    onProgress: () => {
      progress += 1
    },
    logger: pino({ base: null }, { write: (line: string) => void lines.push(line) }),
    signal: ending.signal,
  })
  void follower.ready.then(() => (isReady = true))
  return {
    follower,
    routes,
    said: () => lines.map((line) => String(Object(JSON.parse(line)).msg)),
    isReady: () => isReady,
    progress: () => progress,
    [Symbol.asyncDispose]: async () => {
      ending.abort()
      await follower.done
      await copy.close()
    },
  }
}
