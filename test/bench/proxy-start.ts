/** One start of a real proxy process, from its launch until it is ready, and what it takes up then. */
import { get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { usageOf } from './process-usage.ts'
import type { Processes } from './processes.ts'

export interface ProxyStart {
  /** From the launch of the process until its `/readyz` answers 200, in milliseconds. */
  readonly readyMs: number
  /** What the process has used of the processors until then: it does not depend on how busy they are. */
  readonly cpuMs: number
  /** Resident memory at that moment, in megabytes (10^6 bytes). */
  readonly memoryMb: number
}

export interface ProxyStartOptions {
  readonly redisUrl: string
  readonly fleet: string
  /** Where the local copy is, or will be. */
  readonly dataDir: string
}

const READY_MS_MAX = 60_000
const POLL_MS = 2

/** Starts a proxy, waits until it is ready, and ends it. Throws when it ends by itself before. */
export const startProxyOnce = async (
  processes: Processes,
  { redisUrl, fleet, dataDir }: ProxyStartOptions,
): Promise<ProxyStart> => {
  const port = await freePort()
  const launchedAt = performance.now()
  const proxy = processes.startProxy({
    GATEHOUSE_REDIS_URL: redisUrl,
    GATEHOUSE_FLEET: fleet,
    GATEHOUSE_DATA: dataDir,
    GATEHOUSE_PROXY_ID: 'bench',
    GATEHOUSE_LISTEN: '127.0.0.1:0',
    GATEHOUSE_ADMIN: `127.0.0.1:${port}`,
  })
  try {
    while (!(await isReady(port))) {
      if (!proxy.isRunning()) throw new Error(`The proxy ended: ${proxy.lastWords()}`)
      if (performance.now() - launchedAt > READY_MS_MAX) {
        throw new Error(`The proxy was not ready within ${READY_MS_MAX} ms: ${proxy.lastWords()}`)
      }
      await delay(POLL_MS)
    }
    const readyMs = performance.now() - launchedAt
    return { readyMs, ...(await usageOf(proxy.pid)) }
  } finally {
    await proxy.stop()
  }
}

/** Whether the proxy whose admin listener this is has its routes. */
export const isReady = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    }).on('error', () => resolve(false))
  })
