/** The one place where this program reads its process: streams, environment, folder, signals. */
import { join, resolve } from 'node:path'
import { EXIT } from './exit-codes.ts'
import type { Io, LiveLine } from './io.ts'

const PROJECT_ROOT = resolve(import.meta.dirname, '../../..')
/**
 * A terminal sends Ctrl-C to npm and to us, and npm passes its own on. Signals that come this close
 * together are one press.
 */
const ONE_PRESS_MS = 1_000

/** The world of this process. Ctrl-C interrupts the run; a second one ends it at once. */
export const processIo = async (): Promise<Io> => {
  const { stdout, stderr, env } = process
  const interruption = new AbortController()
  const impatience = new AbortController()
  let pressedAt = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!interruption.signal.aborted) {
        pressedAt = performance.now()
        interruption.abort(new Error(`interrupted by ${signal}`))
      } else if (performance.now() - pressedAt > ONE_PRESS_MS) {
        impatience.abort()
        process.exit(EXIT.interrupted)
      }
    })
  }
  // `watch | head` closes our output: that is an end, not an error.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  stderr.on('error', () => {})
  return {
    stdout,
    stderr,
    ...(stderr.isTTY && env['CI'] === undefined ? { live: await liveLine() } : {}),
    environment: env,
    cwd: workingFolder(env),
    interrupted: interruption.signal,
    // Not SIGHUP, which a terminal sends when its window is closed.
    onUpgradeSignal: (listener) => void process.on('SIGUSR2', listener),
    atOnce: impatience.signal,
  }
}

/** npm runs scripts in the project's folder, and leaves the folder that the user was in here. */
const workingFolder = (env: NodeJS.ProcessEnv): string => {
  const invokedIn = env['INIT_CWD']
  const byNpm = env['npm_lifecycle_event'] === 'cmd' && process.cwd() === PROJECT_ROOT
  return byNpm && invokedIn !== undefined ? join(invokedIn) : process.cwd()
}

const liveLine = async (): Promise<LiveLine> => {
  // Only a terminal needs it, and scripts should not wait for it to load.
  const { default: ora } = await import('ora')
  const spinner = ora({ stream: process.stderr, discardStdin: false })
  return {
    show: (text) => {
      spinner.text = text
      if (!spinner.isSpinning) spinner.start()
    },
    clear: () => {
      if (spinner.isSpinning) spinner.stop()
    },
  }
}
