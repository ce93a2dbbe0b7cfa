/** Questions one after the other on one connection, to one of several proxies that share a port. */
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { eventually } from './eventually.ts'

export interface Steady extends AsyncDisposable {
  /** Every different answer that there was, as `200 blue`; or what went wrong. */
  readonly stop: () => Promise<ReadonlySet<string>>
}

export interface SteadyQuestion {
  /** Where all of them serve. */
  readonly port: number
  /** The admin port of the one that is to be asked. */
  readonly admin: number
  readonly host: string
}

export const askSteadily = async ({ port, admin, host }: SteadyQuestion): Promise<Steady> => {
  const askOn = async (agent: Agent): Promise<string> => {
    const [response] = await once(
      get({ host: '127.0.0.1', port, headers: { host }, agent }),
      'response',
    )
    let body = ''
    for await (const text of response.setEncoding('utf8')) body += String(text)
    return `${response.statusCode} ${labelIn(body)}`
  }
  // The system gives connections to whom it likes, so the one is found by trying.
  const agent = await eventually('a connection to that proxy', async () => {
    const connection = new Agent({ keepAlive: true, maxSockets: 1 })
    const before = await metric(admin, 'gatehouse_client_connections_total')
    await askOn(connection)
    if ((await metric(admin, 'gatehouse_client_connections_total')) > before) return connection
    connection.destroy()
    return undefined
  })
  const seen = new Set<string>()
  const ending = new AbortController()
  const asking = (async () => {
    while (!ending.signal.aborted) {
      seen.add(await askOn(agent).catch((error: unknown) => String(error)))
    }
  })()
  const stop = async (): Promise<ReadonlySet<string>> => {
    ending.abort()
    await asking
    agent.destroy()
    return seen
  }
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) }
}

/** Which release has answered. */
export const labelIn = (body: string): string => /blue|green/.exec(body)?.[0] ?? body

/** One number of the proxy that has this admin port; NaN when there is none of that name. */
export const metric = async (admin: number, name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1) ?? Number.NaN)
}
