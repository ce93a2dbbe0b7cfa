/** Steady load on a fleet, from a process of its own, and what became of every request. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import type { LoadPlan, LoadReport, ToLoad } from './load-generator.ts'

export type { LoadReport }

export interface Load extends AsyncDisposable {
  /**
   * From now on these labels may answer, and no others. When it returns, a question that is asked
   * later is judged by them alone.
   */
  readonly accept: (...labels: readonly string[]) => Promise<LoadReport>
  readonly report: () => Promise<LoadReport>
  /** Waits until so many more requests were answered. */
  readonly answers: (more: number) => Promise<LoadReport>
  /** Lets every open question be answered, and ends. */
  readonly stop: () => Promise<LoadReport>
}

export const startLoad = async ({
  connectionsPerPort = 4,
  pauseMs = 2,
  newConnections = false,
  ...plan
}: Pick<LoadPlan, 'ports' | 'host' | 'accept'> & Partial<LoadPlan>): Promise<Load> => {
  const child = fork(join(import.meta.dirname, 'load-generator.ts'), { stdio: 'inherit' })
  const ended = once(child, 'exit')
  const tell = async (message: ToLoad): Promise<LoadReport> => {
    const answer = once(child, 'message')
    child.send(message)
    const [report] = await Promise.race([
      answer,
      ended.then(() => Promise.reject(new Error('the load generator has ended'))),
    ])
    // The generator sends nothing else.
    return report as LoadReport
  }
  const report = () => tell({ type: 'report' })
  await tell({ type: 'start', ...plan, connectionsPerPort, pauseMs, newConnections })
  const load: Load = {
    report,
    accept: (...labels) => tell({ type: 'accept', labels }),
    answers: async (more) => {
      const { answered } = await report()
      return eventually(`${more} more answers`, async () => {
        const now = await report()
        return now.answered >= answered + more ? now : undefined
      })
    },
    stop: () => tell({ type: 'stop' }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
  await load.answers(plan.ports.length * connectionsPerPort)
  return load
}
