/** Event streams and downloads that are taken to their end or left in the middle, over a switch. */
import { setTimeout as delay } from 'node:timers/promises'
import { bookIn } from '../generator.ts'
import type { StreamPlan } from '../load/plan.ts'
import type { Scenario } from '../scenario.ts'
import { HOST } from '../stage.ts'
import { DOWNLOAD_BYTES } from '../target-task.ts'

/** After some events of the ten. */
const EVENTS_BYTES_CUT = 40

export const STREAMS: readonly Pick<StreamPlan, 'path' | 'cutAfterBytes'>[] = [
  { path: '/events' },
  { path: '/events', cutAfterBytes: EVENTS_BYTES_CUT },
  { path: '/download' },
  { path: '/download', cutAfterBytes: DOWNLOAD_BYTES / 2 },
]

export const streamChurn: Scenario = {
  name: 'stream-churn',
  about: 'event streams and downloads, half of them left in the middle, over a switch',
  counts: 'a stream that was complete, or that the client left; latency is to its first byte',
  proxies: 1,
  connections: 64,
  thresholds: { p99Ms: 2_000, errors: { count: 0 }, retainedBytes: 8_000_000, descriptors: 0 },
  takesRate: false,
  prepare: async (stage) => {
    const { generator } = stage
    for (const label of ['green', 'blue']) {
      await stage.deploy(label, await stage.startTarget(label))
    }
    let [active, other] = ['blue', 'green']
    return {
      perform: async ({ durationMs, connections }) => {
        await generator.forget()
        await generator.expect([active])
        const each = Math.ceil(connections / STREAMS.length)
        const common = { kind: 'streams', book: 'streams', host: HOST, pauseMs: 10 } as const
        await generator.start(
          ...STREAMS.map((stream) => ({
            ...common,
            ...stream,
            ports: stage.ports,
            connections: each,
          })),
        )
        await delay(durationMs / 2)
        await generator.expect([active, other])
        await stage.switchTo(other)
        ;[active, other] = [other, active]
        await generator.expect([active])
        await delay(durationMs / 2)
        const book = bookIn(await generator.stop(), 'streams')
        const unseen = ['blue', 'green'].filter((label) => !(`200 ${label}` in book.answers))
        return {
          book,
          notes: ['The service was switched half-way; the streams of the old release went on.'],
          problems: unseen.map((label) => `No stream of ${label} was seen.`),
        }
      },
    }
  },
}
