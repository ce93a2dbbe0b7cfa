/**
 * One process that is kept running: started, its output in a log file, started again with growing
 * pauses when it ends by itself, and ended in good order when we end.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sayDuration } from '../spec/duration.ts'
import { lastWords } from './last-words.ts'

export interface ChildOptions {
  readonly name: string
  /** The program to run, with the Node that runs us. */
  readonly script: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly logDir: string
  /** How long it may take to end by itself. */
  readonly graceMs: number
  /** Told, in one sentence, when it had to be started again. */
  readonly onTrouble: (sentence: string) => void
}

export interface Child {
  readonly name: string
  readonly logFile: string
  /** Asks it to end, and ends it after the grace. Safe to call twice. */
  readonly stop: () => Promise<void>
  /** Ends it at once. */
  readonly kill: () => void
}

const RESTART_MS_MIN = 500
const RESTART_MS_MAX = 30_000
/** One that has run this long is no longer failing to start: the next pause is short again. */
const SETTLED_MS = 30_000
const LOG_BYTES_MAX = 10_000_000
const TAIL_BYTES = 8_192

const LEASH = new URL('leash.ts', import.meta.url).href

export const startChild = (options: ChildOptions): Child => {
  const { name, logDir, graceMs, onTrouble } = options
  const logFile = join(logDir, `${name}.log`)
  makeRoom(logFile)
  let child: ChildProcess | undefined
  let ended = Promise.withResolvers<void>()
  let stopping = false
  let pauseMs = RESTART_MS_MIN
  let timer: NodeJS.Timeout | undefined

  const start = (): void => {
    const startedAt = performance.now()
    ended = Promise.withResolvers<void>()
    child = launch(options, logFile)
    let gone = false
    const onEnd = (how: string): void => {
      // A process that cannot be started reports both an error and an exit.
      if (gone) return
      gone = true
      child = undefined
      ended.resolve()
      if (stopping) return
      if (performance.now() - startedAt > SETTLED_MS) pauseMs = RESTART_MS_MIN
      const waitMs = pauseMs
      pauseMs = Math.min(pauseMs * 2, RESTART_MS_MAX)
      timer = setTimeout(start, waitMs)
      onTrouble(`${name} ${how}; it is started again in ${sayDuration(waitMs)} (log: ${logFile})`)
    }
    child.once('error', (error) => onEnd(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      onEnd(
        signal === null
          ? `ended with exit code ${code ?? 0}${said(logFile)}`
          : `ended with ${signal}`,
      )
    })
  }

  const stop = async (): Promise<void> => {
    stopping = true
    clearTimeout(timer)
    if (child === undefined) return
    child.kill('SIGTERM')
    const overdue = setTimeout(() => child?.kill('SIGKILL'), graceMs)
    await ended.promise
    clearTimeout(overdue)
  }

  start()
  return {
    name,
    logFile,
    stop,
    kill: () => {
      stopping = true
      clearTimeout(timer)
      child?.kill('SIGKILL')
    },
  }
}

const launch = ({ script, environment }: ChildOptions, logFile: string): ChildProcess => {
  const log = openSync(logFile, 'a')
  try {
    return spawn(process.execPath, ['--import', LEASH, script], {
      env: environment,
      // A group of its own: Ctrl-C in the terminal reaches us alone, and we end things in order.
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    })
  } finally {
    closeSync(log)
  }
}

/** Keeps one older log file, so that logs of a machine that runs for years stay small. */
const makeRoom = (logFile: string): void => {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
  if (size > LOG_BYTES_MAX) renameSync(logFile, `${logFile}.1`)
}

const said = (logFile: string): string => {
  const log = openSync(logFile, 'r')
  try {
    const tail = Buffer.alloc(TAIL_BYTES)
    const from = Math.max(0, (statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) - TAIL_BYTES)
    const words = lastWords(tail.toString('utf8', 0, readSync(log, tail, 0, TAIL_BYTES, from)))
    return words === undefined ? '' : ` (${words})`
  } finally {
    closeSync(log)
  }
}
