/** Gatehouse itself: a real proxy process that follows a real log with many routes. */
import { setTimeout as delay } from 'node:timers/promises'
import manifest from '../../../../package.json' with { type: 'json' }
import { freePort } from '../../../support/free-port.ts'
import { isReady } from '../../proxy-start.ts'
import type { Contender } from '../contender.ts'

const READY_MS_MAX = 60_000
const POLL_MS = 10

/** With settings of its own on top of those that every proxy has here. */
export const gatehouse = (settings: Readonly<Record<string, string>>): Contender => ({
  start: async ({ lab, pinning, fleet }) => {
    const { redisUrl, name } = await fleet()
    const port = await freePort()
    const adminPort = await freePort()
    const proxy = lab.processes.startProxy(
      {
        GATEHOUSE_REDIS_URL: redisUrl,
        GATEHOUSE_FLEET: name,
        GATEHOUSE_DATA: await lab.folder(),
        GATEHOUSE_PROXY_ID: `bench-${port}`,
        GATEHOUSE_LISTEN: `127.0.0.1:${port}`,
        GATEHOUSE_ADMIN: `127.0.0.1:${adminPort}`,
        ...settings,
      },
      pinning.proxy,
    )
    const giveUpAt = performance.now() + READY_MS_MAX
    while (proxy.isRunning() && !(await isReady(adminPort))) {
      if (performance.now() > giveUpAt) {
        throw new Error(`The proxy was not ready within ${READY_MS_MAX} ms: ${proxy.lastWords()}`)
      }
      await delay(POLL_MS)
    }
    return { process: proxy, port, version: manifest.version }
  },
})
