/** Plain requests: to the target itself, and through a proxy. */
import { usageOf } from '../../process-usage.ts'
import { bookIn } from '../generator.ts'
import type { BookReport, RequestPlan } from '../load/plan.ts'
import type { Finding, LoadOptions, Scenario } from '../scenario.ts'
import { HOST, type Stage } from '../stage.ts'
import { grouped, sayMs } from '../thresholds.ts'

const COUNTS = 'a request with a small answer; latency is from the question to its last byte'

export const direct: Scenario = {
  name: 'direct',
  about: 'requests to the target itself, without Gatehouse: what this machine can do',
  counts: COUNTS,
  proxies: 1,
  connections: 64,
  thresholds: { p99Ms: 250, errors: { count: 0 }, retainedBytes: 8_000_000, descriptors: 0 },
  takesRate: true,
  prepare: async (stage) => {
    const { port, pid, output } = await stage.startTarget('blue')
    return {
      watched: [{ name: 'target', pid: pid(), output }],
      perform: async (load) => {
        await stage.generator.forget()
        await stage.generator.expect(['blue'])
        await runFor(stage, load, planFor(load, 'direct', [port]))
        return { book: bookIn(await stage.generator.books(), 'direct'), notes: [], problems: [] }
      },
    }
  },
}

export const proxied: Scenario = {
  name: 'proxied',
  about: 'requests through a proxy, in turns with requests to the target itself',
  counts: COUNTS,
  proxies: 1,
  connections: 64,
  thresholds: { p99Ms: 250, errors: { count: 0 }, retainedBytes: 8_000_000, descriptors: 0 },
  takesRate: true,
  prepare: async (stage) => {
    const target = await stage.startTarget('blue')
    await stage.deploy('blue', target)
    return { perform: (load) => performInTurns(stage, load, target.port) }
  },
}

/** Long enough for both to get up to speed, short enough that they see the same machine. */
const TURN_MS_MAX = 1_000
const TURNS_MIN = 4

/** What disturbs the machine for a while disturbs both alike, and the ratio stays what it is. */
const performInTurns = async (
  stage: Stage,
  load: LoadOptions,
  targetPort: number,
): Promise<Finding> => {
  const { generator } = stage
  await generator.forget()
  await generator.expect(['blue'])
  const pairs = Math.ceil(Math.max(TURNS_MIN, load.durationMs / TURN_MS_MAX) / 2)
  const turn = { ...load, durationMs: load.durationMs / (2 * pairs) }
  let cpuMs = 0
  for (let pair = 0; pair < pairs; pair += 1) {
    await runFor(stage, turn, planFor(load, 'direct', [targetPort]))
    const before = await cpuOf(stage)
    await runFor(stage, turn, planFor(load, 'proxied', stage.ports))
    cpuMs += (await cpuOf(stage)) - before
  }
  const books = await generator.books()
  const book = bookIn(books, 'proxied')
  const base = bookIn(books, 'direct')
  return {
    book,
    notes: [
      ratioNote(book, base),
      `The proxy took ${((cpuMs * 1_000) / Math.max(1, book.good)).toFixed(0)} µs of CPU per request.`,
    ],
    problems: base.errors === 0 ? [] : [`direct had ${base.errors} errors: ${base.firstErrors[0]}`],
  }
}

const ratioNote = (book: BookReport, base: BookReport): string =>
  `Ratio to direct, in ${base.seconds.toFixed(1)} s of the same run: ` +
  `${(book.perSecond / Math.max(base.perSecond, 1)).toFixed(2)} of its ${grouped(base.perSecond)} requests per second; ` +
  `p50 ${sayMs(book.latencyMs.p50)} against ${sayMs(base.latencyMs.p50)}, ` +
  `p99 ${sayMs(book.latencyMs.p99)} against ${sayMs(base.latencyMs.p99)}.`

const cpuOf = async ({ watched }: Stage): Promise<number> => {
  const proxies = watched.filter(({ adminPort }) => adminPort !== undefined)
  const usages = await Promise.all(proxies.map(({ pid }) => usageOf(pid)))
  return usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0)
}

export const planFor = (
  { connections, ratePerSecond }: LoadOptions,
  book: string,
  ports: readonly number[],
): RequestPlan => ({
  kind: 'requests',
  book,
  ports,
  host: HOST,
  connections,
  ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
})

const runFor = async (
  { generator }: Stage,
  { durationMs }: LoadOptions,
  plan: RequestPlan,
): Promise<void> => {
  await generator.start(plan)
  await new Promise((resolve) => setTimeout(resolve, durationMs))
  await generator.stop()
}
