/** A proxy in a process of its own: where it serves, and what it answers there and on its admin listener. */
import { ask, open, type Answer, type OpenAnswer } from './client.ts'
import type { TestProcess } from './process.ts'

export interface TestProxy extends TestProcess {
  readonly id: string
  readonly port: number
  readonly adminUrl: string
  readonly ask: (host: string, path?: string) => Promise<Answer>
  readonly open: (host: string, path?: string) => Promise<OpenAnswer>
  /** Asks its admin listener. */
  readonly admin: (path: string) => Promise<{ readonly status: number; readonly text: string }>
  /** One number of `/metrics`; undefined when there is none of that name. */
  readonly metric: (name: string) => Promise<number | undefined>
}

interface Serving {
  readonly listen: readonly string[]
  readonly admin: string
}

/**
 * The proxy once it has said that it serves, and where: it says so without Redis as well. Undefined
 * before; throws when the process has ended.
 */
export const servedBy = (started: TestProcess, id: string): TestProxy | undefined => {
  if (!started.running()) throw new Error(`the proxy has ended: ${started.output()}`)
  const line = started
    .output()
    .split('\n')
    .find((each) => each.includes('"msg":"serving"'))
  if (line === undefined) return undefined
  // The proxy's own log line.
  const { listen, admin } = JSON.parse(line) as Serving
  return proxyOf(started, id, Number(listen[0]?.split(':').at(-1)), `http://${admin}`)
}

const proxyOf = (started: TestProcess, id: string, port: number, adminUrl: string): TestProxy => {
  const admin: TestProxy['admin'] = async (path) => {
    const answer = await fetch(`${adminUrl}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  return {
    ...started,
    id,
    port,
    adminUrl,
    ask: (host, path = '/') => ask(port, { host, path }),
    open: (host, path = '/') => open(port, { host, path }),
    admin,
    metric: async (name) => {
      const line = (await admin('/metrics')).text
        .split('\n')
        .find((each) => each.startsWith(`${name} `))
      return line === undefined ? undefined : Number(line.slice(name.length + 1))
    },
  }
}
