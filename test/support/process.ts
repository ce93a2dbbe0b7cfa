/** A program of ours as a process of its own: its output kept, its end awaited, no orphan left. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')
const STOP_MS_MAX = 10_000

export interface TestProcess extends AsyncDisposable {
  readonly child: ChildProcess
  /** What it has written so far, both streams. */
  readonly output: () => string
  readonly finished: Promise<Finished>
  readonly running: () => boolean
  readonly signal: (signal: NodeJS.Signals) => void
  /** Sends the signal (SIGTERM) and waits for the end; what does not end in time is killed. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Finished>
}

export interface Finished {
  readonly exit: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Starts one of our programs by its path from the project's root, with the Node that runs the tests.
 * `sockets` are bound ones that it is to serve on, handed down as systemd does.
 */
export const startProgram = (
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  sockets: readonly number[] = [],
): TestProcess => {
  const path = resolve(ROOT, program)
  return sockets.length === 0
    ? startProcess(process.execPath, [path, ...args], environment)
    : startProcess(
        'sh',
        ['-c', 'export LISTEN_PID=$$; exec "$0" "$@"', process.execPath, path, ...args],
        { LISTEN_FDS: String(sockets.length), ...environment },
        sockets,
      )
}

export const startProcess = (
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  sockets: readonly number[] = [],
): TestProcess => {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', ...sockets],
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const finished = once(child, 'close').then((): Finished => ({
    exit: child.exitCode,
    signal: child.signalCode,
    stdout,
    stderr,
  }))
  const endWithTests = (): void => void child.kill('SIGKILL')
  process.once('exit', endWithTests)
  void finished.then(() => process.off('exit', endWithTests))
  const running = (): boolean => child.exitCode === null && child.signalCode === null
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> => {
    if (!running()) return finished
    child.kill(signal)
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
    return finished.finally(() => clearTimeout(force))
  }
  return {
    child,
    output: () => `${stdout}${stderr}`,
    finished,
    running,
    signal: (signal) => void child.kill(signal),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  }
}
