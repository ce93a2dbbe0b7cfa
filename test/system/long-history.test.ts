import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { fill, saveSnapshot } from '../bench/fill.ts'
import { openFleet, type BenchFleet } from '../bench/fleet.ts'
import { deploysOf } from '../bench/history.ts'
import { createProcesses } from '../bench/processes.ts'
import { startProxyOnce, type ProxyStart } from '../bench/proxy-start.ts'

/** What a worker leaves after its newest snapshot, on average. */
const TAIL_EVENTS = 500
/** Few enough that even the short history fills what each service remembers: the states are equal. */
const SERVICES = 10
const SHORT_HISTORY = 1_000
const LONG_HISTORY = 100_000
const STARTS = 3
/** Without the snapshot, the long history takes several times the time, and half as much memory again. */
const TIMES_MAX = 1.25
const NOISE_MS = 100

const write = async ({ log }: BenchFleet, events: number): Promise<void> => {
  const history = deploysOf(SERVICES)
  await fill(log, history, events - TAIL_EVENTS)
  await saveSnapshot(log, history)
  await fill(log, history, TAIL_EVENTS)
}

it('L12 a new proxy starts after a hundred thousand events as after a thousand, and takes no more memory', async () => {
  await using stack = new AsyncDisposableStack()
  const processes = stack.use(createProcesses())
  const shortFleet = stack.use(openFleet(inject('redisUrl')))
  const longFleet = stack.use(openFleet(inject('redisUrl')))
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-history-'))
  stack.defer(() => rm(root, { recursive: true, force: true }))
  await Promise.all([write(shortFleet, SHORT_HISTORY), write(longFleet, LONG_HISTORY)])

  const short: ProxyStart[] = []
  const long: ProxyStart[] = []
  // In turn, so that whatever else the machine does meets both.
  for (let start = 0; start < STARTS; start++) {
    for (const [{ name, redisUrl }, starts] of [
      [shortFleet, short],
      [longFleet, long],
    ] as const) {
      const dataDir = await mkdtemp(join(root, 'new-'))
      starts.push(await startProxyOnce(processes, { redisUrl, fleet: name, dataDir }))
    }
  }

  // Time of the processors: on a busy machine, nothing else tells a slow start from a slow neighbour.
  const least = (starts: readonly ProxyStart[], what: keyof ProxyStart): number =>
    Math.min(...starts.map((each) => each[what]))
  expect(least(long, 'cpuMs')).toBeLessThan(least(short, 'cpuMs') * TIMES_MAX + NOISE_MS)
  expect(least(long, 'memoryMb')).toBeLessThan(least(short, 'memoryMb') * TIMES_MAX)
})
