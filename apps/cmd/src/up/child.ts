/**
 * A process that is kept running: started again with growing pauses when it ends by itself, replaced by
 * a successor on the same sockets when that is asked for, and ended in good order when we end.
 */
import { renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sayDuration } from '../spec/duration.ts'
import { lastWordsIn, launch, type Launched, type LaunchOptions } from './launch.ts'
import type { HeldSockets } from './sockets.ts'

export interface ChildOptions {
  readonly name: string
  readonly script: LaunchOptions['script']
  /**
   * What the processes are called in turn, when one succeeds the other: nobody should see two under
   * one name. Absent: always the child's own.
   */
  readonly ids?: readonly [string, ...string[]]
  /** Of the process with this id; `succeeds` is the one whose place it takes. */
  readonly environment: (id: string, succeeds: string | undefined) => LaunchOptions['environment']
  readonly sockets?: HeldSockets
  readonly logDir: string
  /** How long it may take to end by itself. */
  readonly graceMs: number
  /** Told, in one sentence, when it had to be started again. */
  readonly onTrouble: (sentence: string) => void
}

export interface Child {
  readonly name: string
  /** What the process that runs, or is to be started again, is called. */
  readonly id: () => string
  /**
   * Starts a successor, and ends the process that runs now once the successor serves. One at a time.
   * `readyMs` bounds the wait for that; `onServing` hears of it.
   */
  readonly replace: (readyMs: number, onServing: () => void) => Promise<Replaced>
  /** Asks it to end, and ends it after the grace. Safe to call twice. */
  readonly stop: () => Promise<void>
  /** Ends it at once. */
  readonly kill: () => void
}

export type Replaced =
  | {
      readonly kind: 'replaced'
      /** Work that the process before had to cut; undefined when it could not say. */
      readonly cut: number | undefined
    }
  /** The successor never served, so what ran before still does. */
  | { readonly kind: 'kept'; readonly because: 'ended' | 'late' | 'stopping'; readonly why: string }

const RESTART_MS_MIN = 500
const RESTART_MS_MAX = 30_000
/** One that has run this long is no longer failing to start: the next pause is short again. */
const SETTLED_MS = 30_000
const LOG_BYTES_MAX = 10_000_000

export const startChild = (options: ChildOptions): Child => {
  const { name, ids = [name], logDir, graceMs, sockets, onTrouble } = options
  const logFile = join(logDir, `${name}.log`)
  makeRoom(logFile)
  const alive = new Set<Launched>()
  let generation = 0
  let current: Launched | undefined
  let successor: Launched | undefined
  let stopping = false
  let pauseMs = RESTART_MS_MIN
  let timer: NodeJS.Timeout | undefined

  const idOf = (each: number): string => ids[each % ids.length] ?? name

  const begin = (each: number, succeeds: string | undefined): Launched => {
    const begun = launch({
      script: options.script,
      environment: options.environment(idOf(each), succeeds),
      logFile,
      graceMs,
      sockets: sockets?.hold() ?? [],
    })
    alive.add(begun)
    void begun.ended.then(() => alive.delete(begun))
    return begun
  }

  const keep = async (launched: Launched): Promise<void> => {
    current = launched
    const { how } = await launched.ended
    if (current !== launched) return
    current = undefined
    if (performance.now() - launched.startedAt > SETTLED_MS) pauseMs = RESTART_MS_MIN
    // The successor that starts has the same sockets, and will be here sooner.
    if (successor === undefined) startAgain(how)
    else if (!stopping) onTrouble(`${idOf(generation)} ${how}; its successor is being started`)
  }

  const startAgain = (how: string): void => {
    if (stopping) return
    // Nobody accepts any more, so the system should stop giving us connections.
    sockets?.release()
    const waitMs = pauseMs
    pauseMs = Math.min(pauseMs * 2, RESTART_MS_MAX)
    timer = setTimeout(start, waitMs)
    onTrouble(
      `${idOf(generation)} ${how}; it is started again in ${sayDuration(waitMs)} (log: ${logFile})`,
    )
  }

  const start = (): void => {
    try {
      void keep(begin(generation, undefined))
    } catch (error) {
      startAgain(couldNot(error))
    }
  }

  const replace = async (readyMs: number, onServing: () => void): Promise<Replaced> => {
    const before = current
    // While nothing runs, there is nobody to be told from.
    const nextGeneration = before === undefined ? generation : generation + 1
    const id = idOf(nextGeneration)
    const beingStopped = { kind: 'kept', because: 'stopping', why: 'Gatehouse is stopped' } as const
    if (stopping) return beingStopped
    clearTimeout(timer)
    let next: Launched
    try {
      next = begin(nextGeneration, before === undefined ? undefined : idOf(generation))
    } catch (error) {
      const how = couldNot(error)
      if (current === undefined) startAgain(how)
      return { kind: 'kept', because: 'ended', why: `${id} ${how}` }
    }
    successor = next
    const because = await failureOf(next, readyMs)
    if (stopping) return beingStopped
    if (because !== undefined) {
      const late = `was not ready within ${sayDuration(readyMs)}${lastWordsIn(logFile, id)}`
      const { how } = await next.end()
      successor = undefined
      if (current === undefined) startAgain('has ended')
      const why = `${id} ${because === 'late' ? late : how} (log: ${logFile})`
      return { kind: 'kept', because, why }
    }
    successor = undefined
    generation = nextGeneration
    pauseMs = RESTART_MS_MIN
    void keep(next)
    onServing()
    const ended = await before?.end()
    return { kind: 'replaced', cut: ended === undefined ? 0 : ended.cut }
  }

  start()
  return {
    name,
    id: () => idOf(generation),
    replace,
    stop: async () => {
      stopping = true
      clearTimeout(timer)
      sockets?.release()
      await Promise.all([...alive].map((each) => each.end()))
    },
    kill: () => {
      stopping = true
      clearTimeout(timer)
      for (const each of alive) each.kill()
    },
  }
}

const couldNot = (error: unknown): string =>
  `could not be started: ${error instanceof Error ? error.message : String(error)}`

/** Undefined once it serves. */
const failureOf = async (
  { serving, ended }: Launched,
  readyMs: number,
): Promise<'ended' | 'late' | undefined> => {
  const waiting = new AbortController()
  const late = delay(readyMs, undefined, { signal: waiting.signal }).catch(() => undefined)
  const outcome = await Promise.race([
    serving.then(() => undefined),
    ended.then(() => 'ended' as const),
    late.then(() => 'late' as const),
  ])
  waiting.abort()
  return outcome
}

/** Keeps one older log file, so that logs of a machine that runs for years stay small. */
const makeRoom = (logFile: string): void => {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
  if (size > LOG_BYTES_MAX) renameSync(logFile, `${logFile}.1`)
}
