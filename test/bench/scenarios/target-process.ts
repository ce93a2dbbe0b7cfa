/** A target as a process that can be ended, politely or not, and started again where it was. */
import { eventually } from '../../support/eventually.ts'
import type { Processes, Talk } from '../processes.ts'
import type { TargetReady, TargetTask, ToTarget } from './target-task.ts'

export interface Target {
  readonly label: string
  readonly port: number
  readonly url: string
  readonly pid: () => number
  /** What it has written, and where its inspector is. */
  readonly output: () => string
  /** Its health check fails from now on, until it is started again. */
  readonly leave: () => Promise<void>
  /** It answers what it was asked, and ends. */
  readonly stop: () => Promise<void>
  /** It ends as in a crash: every connection is cut. */
  readonly kill: () => Promise<void>
  /** On the same port. */
  readonly restart: () => Promise<void>
  /** As an application does with connections on which nothing has been asked for a while. */
  readonly closeIdleConnections: () => Promise<void>
}

export const startTarget = async (processes: Processes, label: string): Promise<Target> => {
  const start = async (port: number): Promise<Running> => {
    const task: TargetTask = { label, port }
    const talk = processes.talkTo('../scenarios/target.ts', task)
    // It says nothing else first.
    return { talk, ready: (await talk.first) as TargetReady }
  }
  let running = await start(0)
  const tell = async (order: ToTarget): Promise<void> => {
    if (running.talk.isRunning()) await running.talk.ask(order)
  }
  const { port } = running.ready
  return {
    label,
    port,
    url: `http://127.0.0.1:${port}`,
    pid: () => running.talk.pid,
    output: () => `Debugger listening on ${running.ready.inspector}\n`,
    leave: () => tell({ type: 'leave' }),
    stop: () => running.talk.stop(),
    kill: async () => {
      process.kill(running.talk.pid, 'SIGKILL')
      await eventually('the target is gone', () => !running.talk.isRunning())
    },
    restart: async () => {
      running = await start(port)
    },
    closeIdleConnections: () => tell({ type: 'close idle connections' }),
  }
}

interface Running {
  readonly talk: Talk
  readonly ready: TargetReady
}
