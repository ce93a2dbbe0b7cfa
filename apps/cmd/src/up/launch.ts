/**
 * One process, from its start to its end: its output in a log file, its sockets handed down, what it
 * says over its channel, and how it ended, in words.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { lastWords } from './last-words.ts'
import type { HeldSocket } from './sockets.ts'

export interface LaunchOptions {
  /** The program to run, with the Node that runs us. */
  readonly script: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly logFile: string
  readonly sockets: readonly HeldSocket[]
  /** How long it may take to end by itself. */
  readonly graceMs: number
}

export interface Launched {
  readonly startedAt: number
  /** Resolves when it has said that it serves; stays open when it never does. */
  readonly serving: Promise<void>
  readonly ended: Promise<Ended>
  /** Asks it to end, once, and ends it after the grace. */
  readonly end: () => Promise<Ended>
  readonly kill: () => void
}

export interface Ended {
  /** As `ended with exit code 1 (the disk is full)`. */
  readonly how: string
  /** Work that it had to cut; undefined when it did not come to say so. */
  readonly cut: number | undefined
}

/**
 * What V8 cannot be told later: in how many megabytes, three times over, it makes new objects, because it
 * takes up to a hundred after a burst of connections, and keeps them; and that a program may collect once
 * what was only needed to load it.
 */
const NODE_FLAGS = ['--max-semi-space-size=4', '--expose-gc']
const LEASH = new URL('leash.mjs', import.meta.url).href
const TAIL_BYTES = 8_192

export const launch = (options: LaunchOptions): Launched => {
  const { logFile, graceMs } = options
  const child = start(options)
  const serving = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<Ended>()
  let cut: number | undefined
  let ending: Promise<Ended> | undefined
  child.on('message', (message: unknown) => {
    const word = wordIn(message)
    if (word?.type === 'serving') serving.resolve()
    if (word?.type === 'stopped') cut = word.cut
  })
  // A process that cannot be started reports both an error and an exit: the first one counts.
  child.once('error', (error) =>
    ended.resolve({ how: `could not be started: ${error.message}`, cut }),
  )
  child.once('exit', (code, signal) => {
    const how =
      signal === null
        ? `ended with exit code ${code ?? 0}${lastWordsIn(logFile)}`
        : `ended with ${signal}`
    const resolve = (): void => ended.resolve({ how, cut })
    // Its last word may still be on the way.
    if (child.connected) child.once('disconnect', resolve)
    else resolve()
  })
  return {
    startedAt: performance.now(),
    serving: serving.promise,
    ended: ended.promise,
    end: () => {
      ending ??= endWithin(child, ended.promise, graceMs)
      return ending
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

const start = ({ script, environment, logFile, sockets }: LaunchOptions): ChildProcess => {
  const log = openSync(logFile, 'a')
  try {
    return spawn(process.execPath, [...NODE_FLAGS, '--import', LEASH, script], {
      env: { ...environment, ...handingDown(sockets) },
      // A group of its own: Ctrl-C in the terminal reaches us alone, and we end things in order.
      detached: true,
      stdio: ['ignore', log, log, ...sockets.map(({ fd }) => fd), 'ipc'],
    })
  } finally {
    closeSync(log)
  }
}

/** As systemd says it, but for LISTEN_PID: nobody knows the process id before there is the process. */
const handingDown = (sockets: readonly HeldSocket[]): LaunchOptions['environment'] => ({
  LISTEN_PID: undefined,
  LISTEN_FDS: sockets.length === 0 ? undefined : String(sockets.length),
  LISTEN_FDNAMES: sockets.length === 0 ? undefined : sockets.map(({ name }) => name).join(':'),
})

type Word = { readonly type: 'serving' } | { readonly type: 'stopped'; readonly cut: number }

/** What proxies say; other programs say nothing. */
const wordIn = (message: unknown): Word | undefined => {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined
  if (message.type === 'serving') return { type: 'serving' }
  return message.type === 'stopped' && 'cut' in message && typeof message.cut === 'number'
    ? { type: 'stopped', cut: message.cut }
    : undefined
}

const endWithin = async (
  child: ChildProcess,
  ended: Promise<Ended>,
  graceMs: number,
): Promise<Ended> => {
  child.kill('SIGTERM')
  const overdue = setTimeout(() => child.kill('SIGKILL'), graceMs)
  try {
    return await ended
  } finally {
    clearTimeout(overdue)
  }
}

/** What was said last, in brackets; by the process with this id when one is given. */
export const lastWordsIn = (logFile: string, id?: string): string => {
  const log = openSync(logFile, 'r')
  try {
    const tail = Buffer.alloc(TAIL_BYTES)
    const from = Math.max(0, (statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) - TAIL_BYTES)
    const lines = tail.toString('utf8', 0, readSync(log, tail, 0, TAIL_BYTES, from)).split('\n')
    const own = id === undefined ? lines : lines.filter((line) => line.includes(`"${id}"`))
    const words = lastWords(own.join('\n'))
    return words === undefined ? '' : ` (${words})`
  } finally {
    closeSync(log)
  }
}
