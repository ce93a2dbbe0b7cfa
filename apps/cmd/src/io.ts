/** What a run has of the world: two streams, an environment, a folder, and a way to be interrupted. */
import type { Environment } from '@gatehouse/events'

export interface Io {
  readonly stdout: TextStream
  readonly stderr: TextStream
  /** A line on the terminal that is rewritten in place; absent where nobody would see it. */
  readonly live?: LiveLine
  readonly environment: Environment
  /** What relative paths are meant from. */
  readonly cwd: string
  /** Aborted by Ctrl-C: the run ends soon, with exit code 130. */
  readonly interrupted: AbortSignal
  /** Calls the listener at each SIGUSR2; absent where no signals come. */
  readonly onUpgradeSignal?: (listener: () => void) => void
  /** Aborted by the second Ctrl-C, just before the process ends. */
  readonly atOnce: AbortSignal
}

export interface TextStream {
  readonly write: (text: string) => unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface LiveLine {
  readonly show: (text: string) => void
  readonly clear: () => void
}
