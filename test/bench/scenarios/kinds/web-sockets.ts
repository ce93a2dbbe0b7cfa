/** WebSockets through a proxy: some that talk all the time, and many that come and go. */
import { setTimeout as delay } from 'node:timers/promises'
import { bookIn } from '../generator.ts'
import type { SocketPlan } from '../load/plan.ts'
import type { Act, Scenario } from '../scenario.ts'
import { HOST, type Stage } from '../stage.ts'

export const wsEcho: Scenario = {
  name: 'ws-echo',
  about: 'WebSockets that send messages of 16 B to 64 KiB and wait for each echo',
  counts: 'an echo that is byte for byte what was sent; latency is from its sending to its arrival',
  proxies: 1,
  connections: 64,
  thresholds: { p99Ms: 500, errors: { count: 0 }, retainedBytes: 8_000_000, descriptors: 0 },
  takesRate: false,
  prepare: (stage) => prepare(stage, { pauseMs: 0 }),
}

export const wsChurn: Scenario = {
  name: 'ws-churn',
  about: 'WebSockets that come and go, half of them without a closing handshake',
  counts:
    'an echo that is byte for byte what was sent; each tenth ends its socket and opens another',
  proxies: 1,
  connections: 500,
  thresholds: { p99Ms: 2_000, errors: { count: 0 }, retainedBytes: 8_000_000, descriptors: 0 },
  takesRate: false,
  prepare: (stage) => prepare(stage, { messagesPerSocket: 10, pauseMs: 100 }),
}

const prepare = async (
  stage: Stage,
  talk: Pick<SocketPlan, 'messagesPerSocket' | 'pauseMs'>,
): Promise<Act> => {
  const { generator } = stage
  await stage.deploy('blue', await stage.startTarget('blue'))
  return {
    perform: async ({ durationMs, connections }) => {
      await generator.forget()
      await generator.expect(['blue'])
      await generator.start({
        kind: 'sockets',
        book: 'sockets',
        ports: stage.ports,
        host: HOST,
        connections,
        ...talk,
      })
      await delay(durationMs)
      const book = bookIn(await generator.stop(), 'sockets')
      const opened = book.answers['101 blue'] ?? 0
      return {
        book,
        notes: [`${opened} sockets were opened.`],
        problems: opened < connections ? [`Only ${opened} of ${connections} sockets opened.`] : [],
      }
    },
  }
}
