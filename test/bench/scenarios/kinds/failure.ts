/** The only target of a release is killed and comes back: requests get 502 meanwhile, and then answers. */
import { setTimeout as delay } from 'node:timers/promises'
import { ask } from '../../../support/client.ts'
import { bookIn } from '../generator.ts'
import type { Scenario } from '../scenario.ts'
import { HOST, type Stage } from '../stage.ts'
import { planFor } from './requests.ts'

const BAD_GATEWAY = '502'
/** Answers in a row, each on a connection of its own, after which it counts as back. */
const ANSWERS_IN_A_ROW = 5
const RECOVERY_MS_MAX = 2_000

export const failure: Scenario = {
  name: 'failure',
  about: 'requests while the only target is killed and comes back: 502 meanwhile, then answers',
  counts: 'a request with a small answer, or a 502 while there is nobody who could answer',
  proxies: 1,
  connections: 64,
  thresholds: { p99Ms: 500, errors: { count: 0 }, retainedBytes: 8_000_000, descriptors: 0 },
  takesRate: true,
  prepare: async (stage) => {
    const { generator } = stage
    const target = await stage.startTarget('blue')
    await stage.deploy('blue', target)
    return {
      perform: async (load) => {
        await generator.forget()
        await generator.expect(['blue'])
        await generator.start(planFor(load, 'failure', stage.ports))
        await delay(load.durationMs / 3)
        await generator.expect(['blue'], [BAD_GATEWAY])
        await target.kill()
        await delay(load.durationMs / 3)
        await target.restart()
        const recoveredMs = await recovery(stage)
        await generator.expect(['blue'])
        await delay(load.durationMs / 3)
        const book = bookIn(await generator.stop(), 'failure')
        return {
          book,
          notes: [`Answers again ${recoveredMs.toFixed(0)} ms after the target listened again.`],
          problems: [
            ...(BAD_GATEWAY in book.answers ? [] : ['There was no 502 while the target was dead.']),
            ...(recoveredMs > RECOVERY_MS_MAX
              ? [`It took ${recoveredMs.toFixed(0)} ms until the target was asked again.`]
              : []),
          ],
        }
      },
    }
  },
}

/** How long it takes until everything is answered again, in milliseconds; a bit more than the bound at most. */
const recovery = async ({ ports: [port = 0] }: Stage): Promise<number> => {
  const begunAt = performance.now()
  let inARow = 0
  let recoveredMs = 0
  while (inARow < ANSWERS_IN_A_ROW && recoveredMs <= RECOVERY_MS_MAX) {
    const { status } = await ask(port, { host: HOST })
    inARow = status === 200 ? inARow + 1 : 0
    recoveredMs = performance.now() - begunAt
  }
  return recoveredMs
}
