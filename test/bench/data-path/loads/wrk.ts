/** wrk: as many requests as the other side takes, on a fixed number of connections. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HOST } from '../contender.ts'
import type { Load, Sent } from '../load.ts'

export interface WrkOptions {
  readonly path: string
  readonly connections: number
  /** On top of Host. */
  readonly headers?: Readonly<Record<string, string>>
  /** Sends a body of so many bytes with POST. */
  readonly postBytes?: number
}

/** What the script prints, in microseconds. */
interface Summary extends Readonly<Record<Exclude<keyof Sent, 'errors'> | 'errors', number>> {}

export const wrk = (options: WrkOptions): Load => ({
  find: async ({ lab }) => {
    const found = await lab.tool('wrk')
    return 'missing' in found ? found : { generator: `wrk ${found.version}` }
  },
  run: async ({ lab, pinning }, { port, seconds }) => {
    const found = await lab.tool('wrk')
    if ('missing' in found) throw new Error(found.missing)
    const script = join(await lab.folder(), 'load.lua')
    await writeFile(script, scriptOf(options))
    const flags = ['-t1', `-c${options.connections}`, `-d${seconds}s`, '-s', script]
    const url = `http://127.0.0.1:${port}${options.path}`
    const run = lab.processes.launch([...pinning.load, found.path, ...flags, url], found.env)
    await run.ended
    const summary = /^SUMMARY (\{.*\})$/m.exec(run.lastWords())?.[1]
    if (summary === undefined) throw new Error(`wrk has failed: ${run.lastWords()}`)
    // What the script below prints.
    return JSON.parse(summary) as Summary
  },
})

const scriptOf = ({ headers = {}, postBytes }: WrkOptions): string => `
wrk.headers["Host"] = "${HOST}"
${Object.entries(headers)
  .map(([name, value]) => `wrk.headers["${name}"] = "${value}"`)
  .join('\n')}
${postBytes === undefined ? '' : `wrk.method = "POST"\nwrk.body = string.rep("x", ${postBytes})`}
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\\nSUMMARY {"answered":%d,"seconds":%f,"errors":%d,"p50Ms":%f,"p99Ms":%f}\\n',
    summary.requests,
    summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3
  ))
end
`
