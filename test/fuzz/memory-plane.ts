/**
 * The serving half of a proxy over connections without sockets: every line of it runs that runs behind
 * real ones, and a case takes microseconds and has no luck in it.
 */
import { createHostTable, HEALTH_DEFAULTS, LIMIT_DEFAULTS, setHost } from '@gatehouse/domain'
import { createPeer } from '../../apps/proxy/src/http/forward-head.ts'
import { OWN_READERS } from '../../apps/proxy/src/http/head-readers.ts'
import { Challenges } from '../../apps/proxy/src/serve/challenges.ts'
import { ClientConnection } from '../../apps/proxy/src/serve/connection.ts'
import type { ServeContext } from '../../apps/proxy/src/serve/context.ts'
import { createCounters } from '../../apps/proxy/src/serve/counters.ts'
import { SERVE_LIMITS } from '../../apps/proxy/src/serve/limits.ts'
import { ServiceRuntime, type ServiceParts } from '../../apps/proxy/src/serve/service-runtime.ts'
import type { TransportOwner } from '../../apps/proxy/src/transport/transport.ts'
import { createWheel } from '../../apps/proxy/src/wheel.ts'
import type { Outcome } from './account.ts'
import type { Case } from './case.ts'
import { MemoryTransport } from './memory-transport.ts'
import { Conversation, createLedger, type Ledger } from './target.ts'

export interface MemoryPlane {
  play(example: Case): Outcome
}

/** Longer than any deadline. */
const LONG_MS = 1_000_000
const DEADLINES_MAX = 20

export const createMemoryPlane = (): MemoryPlane => {
  let clock = 0
  let targets: MemoryTarget[] = []
  let meet: (transport: MemoryTransport) => Conversation
  const wheel = createWheel({ now: () => clock })
  const counters = createCounters()
  const parts: ServiceParts = {
    releases: new Set(),
    pausedRequestsMax: 1,
    onIdle: () => {},
    onCut: () => {},
    wheel,
    targetIdleMs: SERVE_LIMITS.targetIdleMs,
    targetSilentMs: SERVE_LIMITS.targetSilentMs,
    counters: counters.upstreams,
    connect: (_, owner: TransportOwner) => {
      const transport = new MemoryTransport()
      transport.owner = owner
      targets.push(new MemoryTarget(transport, meet(transport)))
      return transport
    },
  }
  const service = new ServiceRuntime('web', parts)
  service.apply({
    service: 'web',
    hosts: ['default'],
    traffic: { mode: 'running' },
    drains: [],
    active: {
      revision: 1,
      ejected: [],
      release: {
        id: 'r1',
        hosts: ['default'],
        targets: [{ url: 'http://target:80' }],
        health: HEALTH_DEFAULTS,
        drainMs: 500,
        limits: LIMIT_DEFAULTS,
        hostHeader: 'preserve',
        metadata: {},
      },
    },
  })
  const hosts = createHostTable<ServiceRuntime>()
  setHost(hosts, 'default', service)
  const context: ServeContext = {
    hosts,
    challenges: new Challenges(),
    securePort: undefined,
    wheel,
    limits: SERVE_LIMITS,
    counters,
    readers: OWN_READERS,
    now: () => 0,
    nextRequestId: () => 'id',
    onFailure: () => {},
    http2: false,
    stopping: false,
  }
  const peer = createPeer('192.0.2.1', 'http', false)

  /** Until nothing more happens by itself: targets are quick, the client comes after them. */
  const settle = (client: MemoryTransport): void => {
    do {
      while (targets.some((target) => target.step())) {
        // Each step may have given others something to do.
      }
    } while (client.step())
  }

  const play = (example: Case): Outcome => {
    const ledger = createLedger()
    targets = []
    meet = (transport) => new Conversation(example, ledger, lineTo(transport))
    const client = new MemoryTransport()
    let gone = false
    // Its transport holds it.
    void new ClientConnection(context, client, peer, {
      onGone: () => (gone = true),
      onHttp2: () => {},
    })
    for (const piece of piecesOf(example)) client.arrive(piece)
    settle(client)
    client.arriveEnd()
    settle(client)
    for (const target of targets) target.transport.arriveEnd()
    settle(client)
    const isOver = (): boolean => gone && counters.upstreams.open === 0
    for (let left = DEADLINES_MAX; left > 0 && !isOver(); left -= 1) {
      clock += LONG_MS
      wheel.advance()
      settle(client)
    }
    for (const target of targets) target.close()
    noteLeaks(ledger, gone)
    return { ...ledger, received: client.written, wasReset: client.wasReset }
  }

  const noteLeaks = (ledger: Ledger, gone: boolean): void => {
    if (!gone) ledger.problems.push('the connection of the client is left')
    if (counters.upstreams.open > 0) ledger.problems.push('a connection to the target is left')
    for (const { idle } of parts.releases) if (!idle) ledger.problems.push('a claim is left')
  }

  return { play }
}

/** The input as its reads bring it. */
export const piecesOf = ({ input, cuts }: Case): readonly string[] => {
  const inner = cuts.filter((cut) => cut > 0 && cut < input.length)
  const places = [...new Set([0, ...inner, input.length])].toSorted((one, other) => one - other)
  return places.slice(1).map((to, index) => input.slice(places[index], to))
}

class MemoryTarget {
  readonly transport: MemoryTransport
  readonly #conversation: Conversation
  #connected = false
  #readTo = 0
  #toldEnd = false

  constructor(transport: MemoryTransport, conversation: Conversation) {
    this.transport = transport
    this.#conversation = conversation
  }

  close(): void {
    this.#conversation.close()
  }

  step(): boolean {
    const { transport } = this
    if (!this.#connected) {
      this.#connected = true
      transport.owner.onConnect()
      return true
    }
    const text = transport.written.slice(this.#readTo)
    if (text !== '') {
      this.#readTo += text.length
      this.#conversation.read(text)
      return true
    }
    if (transport.ended && !this.#toldEnd) {
      this.#toldEnd = true
      this.#conversation.onEnd()
      return true
    }
    return transport.step()
  }
}

const lineTo = (transport: MemoryTransport): { send(text: string): void; end(): void } => ({
  send: (text) => transport.arrive(text),
  end: () => transport.arriveEnd(),
})
