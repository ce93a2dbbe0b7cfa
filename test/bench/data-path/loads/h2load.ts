/**
 * h2load: a fixed number of HTTP/1.1 requests per second, whatever the other side does, so that waiting
 * shows; or HTTP/2, as many requests as the other side takes. It releases requests in bursts: good for
 * comparing, not for reading absolutely.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HOST } from '../contender.ts'
import type { Load } from '../load.ts'
import { quantile } from '../../statistics.ts'

export interface PacedOptions {
  readonly path: string
  readonly connections: number
  /** Of all connections together. */
  readonly requestsPerSecond: number
}

export interface Http2Options {
  readonly path: string
  readonly connections: number
  /** Requests at a time on each of them. */
  readonly streams: number
}

export const paced = ({ path, connections, requestsPerSecond }: PacedOptions): Load =>
  h2load(path, ['--h1', `--clients=${connections}`, `--rps=${requestsPerSecond / connections}`])

/** Without TLS, whose cost is a line of its own. */
export const http2 = ({ path, connections, streams }: Http2Options): Load =>
  h2load(path, [`--clients=${connections}`, `--max-concurrent-streams=${streams}`])

const MICROSECONDS_PER_MS = 1_000

const h2load = (path: string, flags: readonly string[]): Load => ({
  find: async ({ lab }) => {
    const found = await lab.tool('h2load')
    return 'missing' in found ? found : { generator: `h2load ${found.version}` }
  },
  run: async ({ lab, pinning }, { port, seconds }) => {
    const found = await lab.tool('h2load')
    if ('missing' in found) throw new Error(found.missing)
    const log = join(await lab.folder(), 'requests.log')
    const command = [
      ...pinning.load,
      found.path,
      ...flags,
      `--duration=${seconds}`,
      `--log-file=${log}`,
      `--connect-to=127.0.0.1:${port}`,
      `http://${HOST}:${port}${path}`,
    ]
    const run = lab.processes.launch(command, found.env)
    await run.ended
    const requests = (await readFile(log, 'utf8').catch(() => '')).split('\n').filter(Boolean)
    if (requests.length === 0) throw new Error(`h2load has failed: ${run.lastWords()}`)
    // Each line is the start, the status and how long it took, in microseconds.
    const fields = requests.map((line) => line.split('\t'))
    const tookMs = fields.map(([, , took]) => Number(took) / MICROSECONDS_PER_MS)
    return {
      answered: requests.length,
      seconds,
      errors: fields.filter(([, status]) => status !== '200').length,
      p50Ms: quantile(tookMs, 0.5),
      p99Ms: quantile(tookMs, 0.99),
    }
  },
})
