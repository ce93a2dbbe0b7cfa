/** A service is switched to and fro while it is asked: no request may be lost, none may go astray. */
import { setTimeout as delay } from 'node:timers/promises'
import { bookIn } from '../generator.ts'
import type { Scenario } from '../scenario.ts'
import { planFor } from './requests.ts'

const SWITCHES_MIN = 2
const SWITCH_EVERY_MS = 1_000

export const blueGreen: Scenario = {
  name: 'blue-green',
  about: 'requests through two proxies while the service is switched to and fro',
  counts:
    'a request with a small answer, and after each switch only one of the new release is good',
  proxies: 2,
  connections: 64,
  thresholds: { p99Ms: 500, errors: { count: 0 }, retainedBytes: 8_000_000, descriptors: 0 },
  takesRate: true,
  prepare: async (stage) => {
    const { generator } = stage
    for (const label of ['green', 'blue']) {
      await stage.deploy(label, await stage.startTarget(label))
    }
    let [active, other] = ['blue', 'green']
    return {
      perform: async (load) => {
        await generator.forget()
        await generator.expect([active])
        await generator.start(planFor(load, 'blue-green', stage.ports))
        const switches = Math.max(SWITCHES_MIN, Math.floor(load.durationMs / SWITCH_EVERY_MS) - 1)
        const pauseMs = load.durationMs / (switches + 1)
        let longestMs = 0
        for (let count = 0; count < switches; count += 1) {
          await delay(pauseMs)
          await generator.expect([active, other])
          const before = performance.now()
          await stage.switchTo(other)
          longestMs = Math.max(longestMs, performance.now() - before)
          ;[active, other] = [other, active]
          // The command has returned: from here on, an answer of the other release is an error.
          await generator.expect([active])
        }
        await delay(pauseMs)
        const book = bookIn(await generator.stop(), 'blue-green')
        const unseen = ['blue', 'green'].filter((label) => !(`200 ${label}` in book.answers))
        return {
          book,
          notes: [
            `${switches} switches; the longest took ${longestMs.toFixed(0)} ms with its receipts and its drain.`,
          ],
          problems: unseen.map((label) => `No answer of ${label} was seen.`),
        }
      },
    }
  },
}
