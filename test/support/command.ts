/** The command line in this process: as quick as its own work. */
import { run } from '../../apps/cmd/src/run.ts'
import { ROOT } from './process.ts'

export interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the arguments in an environment that holds these settings and nothing else. */
export const command = async (
  settings: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Ran> => {
  const text = { stdout: '', stderr: '' }
  const writer = (into: 'stdout' | 'stderr') => ({
    write: (part: string) => {
      text[into] += part
    },
  })
  const never = new AbortController().signal
  const exit = await run(args, {
    stdout: writer('stdout'),
    stderr: writer('stderr'),
    environment: settings,
    cwd: ROOT,
    interrupted: never,
    atOnce: never,
  })
  return { exit, ...text }
}
