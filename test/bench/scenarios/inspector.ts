/**
 * The memory of another process, after it has collected its garbage: asked through Node's inspector, so
 * that nothing in the program has to know of it.
 */
import { once } from 'node:events'
import { WebSocket } from 'ws'

export interface Memory {
  /** What is alive on V8's heap. */
  readonly heapBytes: number
  /** What that holds outside of it: buffers. */
  readonly bufferBytes: number
  readonly rssBytes: number
}

/** Makes a program of ours open its inspector on a free port, and say so on standard error. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const

/** The inspectors that a process, and those that it has started, have said to have opened. */
export const inspectorsIn = (output: string): readonly string[] =>
  [...output.matchAll(/^Debugger listening on (ws:\S+)$/gm)].map(([, url = '']) => url)

/** One collection may free what only the next one finds: finalizers run in between. */
const COLLECTIONS = 2
const EXPRESSION = 'process.memoryUsage()'

/** Throws when nobody listens there. */
export const memoryOf = async (url: string): Promise<Memory> => {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  try {
    await once(socket, 'open')
    let id = 0
    const call = async (method: string, params: object = {}): Promise<Result> => {
      const answer = once(socket, 'message')
      socket.send(JSON.stringify({ id: ++id, method, params }))
      const [data] = await answer
      // Without a domain enabled, there are only answers, in order.
      return JSON.parse(String(data)) as Result
    }
    for (let count = 0; count < COLLECTIONS; count += 1) await call('HeapProfiler.collectGarbage')
    const params = { expression: EXPRESSION, returnByValue: true }
    const usage = (await call('Runtime.evaluate', params)).result?.result?.value
    if (usage === undefined) throw new Error(`${url} does not say what memory is in use`)
    return { heapBytes: usage.heapUsed, bufferBytes: usage.external, rssBytes: usage.rss }
  } finally {
    socket.terminate()
  }
}

interface Result {
  readonly result?: {
    readonly result?: {
      readonly value?: {
        readonly heapUsed: number
        readonly external: number
        readonly rss: number
      }
    }
  }
}
