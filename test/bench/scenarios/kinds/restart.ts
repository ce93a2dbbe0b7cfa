/**
 * The two targets of a release are restarted one after the other, each after it has failed its health
 * check and got no more requests: who asks meanwhile notices nothing.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { ask } from '../../../support/client.ts'
import { eventually } from '../../../support/eventually.ts'
import { bookIn } from '../generator.ts'
import type { Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import type { Target } from '../target-process.ts'
import { planFor } from './requests.ts'

const NOTICED_MS_MAX = 10_000

export const restart: Scenario = {
  name: 'restart',
  about: 'requests while the two targets of a release leave, restart and come back in turn',
  counts: 'a request with a small answer; one target is always there, so none may fail',
  proxies: 1,
  connections: 64,
  thresholds: { p99Ms: 500, errors: { count: 0 }, retainedBytes: 8_000_000, descriptors: 0 },
  takesRate: true,
  prepare: async (stage) => {
    const { generator } = stage
    const targets = [await stage.startTarget('blue'), await stage.startTarget('blue')]
    await stage.deploy('blue', ...targets)
    return {
      perform: async (load) => {
        await generator.forget()
        await generator.expect(['blue'])
        await generator.start(planFor(load, 'restart', stage.ports))
        const pauseMs = load.durationMs / (targets.length + 1)
        for (const target of targets) {
          await delay(pauseMs)
          await target.leave()
          await noticed(stage, target, true)
          await target.stop()
          await target.restart()
          await noticed(stage, target, false)
        }
        await delay(pauseMs)
        return { book: bookIn(await generator.stop(), 'restart'), notes: [], problems: [] }
      },
    }
  },
}

/** Waits until every proxy has taken the target out, or back. */
const noticed = async (stage: Stage, target: Target, gone: boolean): Promise<void> => {
  const what = `the proxies have ${gone ? 'ejected' : 'taken back'} ${target.url}`
  await eventually(
    what,
    async () => {
      const states = await Promise.all(
        stage.watched.flatMap(({ adminPort }) =>
          adminPort === undefined ? [] : [stateAt(adminPort, target.url)],
        ),
      )
      return states.every((state) => state === (gone ? 'ejected' : 'active'))
    },
    NOTICED_MS_MAX,
  )
}

const stateAt = async (adminPort: number, url: string): Promise<string | undefined> => {
  const { body } = await ask(adminPort, { host: '127.0.0.1', path: '/routes' })
  const rows = JSON.parse(body) as readonly { readonly target: string; readonly state: string }[]
  return rows.find(({ target }) => target === url)?.state
}
