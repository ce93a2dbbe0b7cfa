/**
 * A data plane in a process of its own, so that what it costs can be seen from the outside. Its one
 * argument says what it is to be, as JSON. It says its port and its counters when they change.
 */
import { DRAIN_MS_DEFAULT, HEALTH_DEFAULTS, LIMIT_DEFAULTS, type Limits } from '@gatehouse/domain'
import { createDataPlane } from '../../../../apps/proxy/src/data-plane.ts'
import type { ServeLimits } from '../../../../apps/proxy/src/serve/limits.ts'
import {
  chooseSockets,
  type TransportSetting,
} from '../../../../apps/proxy/src/transport/choose.ts'

export interface PlaneSketch {
  /** URL of the one target of a service, by host. */
  readonly routes: Readonly<Record<string, string>>
  readonly limits?: Partial<Limits>
  readonly serve?: Partial<ServeLimits>
  readonly transport?: TransportSetting
}

const EVERY_MS = 50

// The test that starts this program writes it.
const {
  routes,
  limits,
  serve = {},
  transport = 'auto',
} = JSON.parse(process.argv[2] ?? '{}') as PlaneSketch

const { sockets } = await chooseSockets(transport)
const plane = createDataPlane({ log: { debug: () => {}, warn: () => {} }, sockets, limits: serve })
for (const [host, url] of Object.entries(routes)) {
  plane.setRoute(host, {
    service: host,
    hosts: [host],
    traffic: { mode: 'running' },
    drains: [],
    active: {
      revision: 1,
      ejected: [],
      release: {
        id: 'r1',
        hosts: [host],
        targets: [{ url }],
        health: HEALTH_DEFAULTS,
        drainMs: DRAIN_MS_DEFAULT,
        limits: { ...LIMIT_DEFAULTS, ...limits },
        hostHeader: 'preserve',
        metadata: {},
      },
    },
  })
}
const { port } = await plane.listen({ host: '127.0.0.1', port: 0 })

let said = ''
setInterval(() => {
  const text = JSON.stringify({ port, counters: plane.counters })
  if (text !== said) process.stdout.write(`${text}\n`)
  said = text
}, EVERY_MS)
