/** A command as somebody types it into a terminal, where Ctrl-C reaches everything of its group. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { ROOT, type Finished } from './process.ts'

export interface Typed extends AsyncDisposable {
  /** What it has written so far, both streams. */
  readonly output: () => string
  readonly finished: Promise<Finished>
  /** Sends what a terminal sends: SIGINT to the command and to all that it runs in the foreground. */
  readonly pressCtrlC: () => void
}

/** Runs the line in a shell, from the project's root, in a process group of its own. */
export const type = (line: string, environment: NodeJS.ProcessEnv): Typed => {
  const child = spawn('sh', ['-c', `exec ${line}`], {
    cwd: ROOT,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const finished = once(child, 'close').then((): Finished => ({
    exit: child.exitCode,
    signal: child.signalCode,
    stdout,
    stderr,
  }))
  const signalGroup = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    process.kill(-child.pid, signal)
  }
  const endWithTests = (): void => signalGroup('SIGKILL')
  process.once('exit', endWithTests)
  void finished.then(() => process.off('exit', endWithTests))
  return {
    output: () => `${stdout}${stderr}`,
    finished,
    pressCtrlC: () => signalGroup('SIGINT'),
    [Symbol.asyncDispose]: async () => {
      signalGroup('SIGKILL')
      await finished
    },
  }
}
