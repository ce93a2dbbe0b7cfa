/**
 * Sockets that fail inside the call that writes to them, at every moment, by a seed: the worst that a
 * transport may do, and worse than any should. Nothing may be left over, released twice, or called
 * after its end.
 */
import {
  createHostTable,
  HEALTH_DEFAULTS,
  LIMIT_DEFAULTS,
  setHost,
  type Route,
} from '@gatehouse/domain'
import { expect, it } from 'vitest'
import { createPeer } from '../http/forward-head.ts'
import { OWN_READERS } from '../http/head-readers.ts'
import { NOBODY, type Transport, type TransportOwner } from '../transport/transport.ts'
import { createWheel } from '../wheel.ts'
import { Challenges } from './challenges.ts'
import { ClientConnection } from './connection.ts'
import type { ServeContext } from './context.ts'
import { createCounters } from './counters.ts'
import { SERVE_LIMITS } from './limits.ts'
import { ServiceRuntime, type ServiceParts } from './service-runtime.ts'

type Random = (below: number) => number

/** mulberry32. */
const randomFrom = (seed: number): Random => {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

class FragileTransport implements Transport {
  owner: TransportOwner = NOBODY
  readonly remoteAddress = '192.0.2.1'
  open = true
  queued = false
  written = ''
  readonly #random: Random
  readonly #failsOneIn: number

  constructor(random: Random, failsOneIn: number) {
    this.#random = random
    this.#failsOneIn = failsOneIn
  }

  write(text: string): boolean {
    if (!this.open) return false
    this.written += text
    if (this.#random(this.#failsOneIn) === 0) {
      this.close()
      return false
    }
    this.queued = this.#random(3) === 0
    return !this.queued
  }

  forward(buffer: Buffer, from: number, to: number): boolean {
    return this.write(buffer.toString('latin1', from, to))
  }

  send(head: string, buffer: Buffer, from: number, to: number, tail: string): boolean {
    return this.write(head + buffer.toString('latin1', from, to) + tail)
  }

  drain(): void {
    if (!this.open || !this.queued) return
    this.queued = false
    this.owner.onDrain()
  }

  close(): void {
    if (!this.open) return
    this.open = false
    this.owner.onClose(new Error('it broke'))
  }

  end(): void {}
  pause(): void {}
  resume(): void {}

  destroy(): void {
    this.close()
  }

  reset(): void {
    this.close()
  }
}

const SILENT_PARTS = { onIdle: () => {}, onCut: () => {} }

const WEBSOCKET = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
const REQUESTS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3),
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  `GET / HTTP/1.1\r\nHost: a\r\n${WEBSOCKET}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x81abcdx`,
  '\x88\x80abcd',
  'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
  'nonsense\r\n\r\n',
]
const ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\nto the end',
  'HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhi',
  `HTTP/1.1 101 Switching\r\n${WEBSOCKET}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x02hi`,
  '\x81\x02hi\x88\x00',
  'nonsense\r\n\r\n',
]

const world = (seed: number) => {
  const random = randomFrom(seed)
  let clock = 0
  const wheel = createWheel({ now: () => clock })
  const counters = createCounters()
  const targets: FragileTransport[] = []
  const clients: FragileTransport[] = []
  const parts: ServiceParts = {
    releases: new Set(),
    pausedRequestsMax: 5,
    ...SILENT_PARTS,
    wheel,
    targetIdleMs: SERVE_LIMITS.targetIdleMs,
    targetSilentMs: SERVE_LIMITS.targetSilentMs,
    counters: counters.upstreams,
    connect: (_, owner) => {
      const transport = new FragileTransport(random, 12)
      transport.owner = owner
      targets.push(transport)
      return transport
    },
  }
  const service = new ServiceRuntime('web', parts)
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
  const route = (revision: number): Route => ({
    service: 'web',
    hosts: ['default'],
    traffic: random(6) === 0 ? { mode: 'paused', holdMs: 1_000 } : { mode: 'running' },
    drains: [{ revision: revision - 1, generation: revision, drainMs: random(500) }],
    active: {
      revision,
      ejected: [],
      release: {
        id: `r${revision}`,
        hosts: ['default'],
        targets: [{ url: 'http://127.0.0.1:1' }, { url: 'http://127.0.0.1:2' }],
        health: HEALTH_DEFAULTS,
        drainMs: 500,
        limits: { ...LIMIT_DEFAULTS, connectionsMax: 2, queueMax: 3 },
        hostHeader: 'preserve',
        metadata: {},
      },
    },
  })
  return {
    random,
    targets,
    clients,
    counters,
    service,
    releases: parts.releases,
    pass: (ms: number) => {
      clock += ms
      wheel.advance()
    },
    switchTo: (revision: number) => {
      service.apply(route(revision))
    },
    accept: () => {
      const transport = new FragileTransport(random, 12)
      clients.push(transport)
      counters.clients.open += 1
      const connection = new ClientConnection(context, transport, createPeer('', 'http', false), {
        onGone: () => (counters.clients.open -= 1),
        onHttp2: () => {},
      })
      expect(transport.owner).toBe(connection)
    },
  }
}

const pick = <Value>(values: readonly Value[], random: Random): Value | undefined =>
  values[random(values.length)]

it('P4 survives sockets that fail inside the very call that writes to them', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const { random, targets, clients, counters, service, releases, ...world_ } = world(seed)
    world_.switchTo(1)
    const deliver = (transport: FragileTransport | undefined, text: string): void => {
      const bytes = Buffer.from(text, 'latin1')
      const cut = random(bytes.length)
      for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
        if (transport?.open === true) transport.owner.onData(piece, piece.length)
      }
    }
    for (let step = 0; step < 200; step += 1) {
      const client = pick(clients, random)
      const target = pick(targets, random)
      switch (random(12)) {
        case 0:
          world_.accept()
          break
        case 1:
        case 2:
        case 3:
          deliver(client, pick(REQUESTS, random) ?? '')
          break
        case 4:
        case 5:
          if (target?.open === true && target.written === '') target.owner.onConnect()
          break
        case 6:
        case 7:
          if (target?.written !== '') deliver(target, pick(ANSWERS, random) ?? '')
          break
        case 8:
          client?.drain()
          target?.drain()
          break
        case 9:
          if (random(2) === 0 && client?.open === true) client.owner.onEnd()
          else if (target?.open === true && target.written !== '') target.owner.onEnd()
          break
        case 10:
          if (random(3) === 0) pick([client, target], random)?.close()
          break
        case 11:
          if (random(4) === 0) world_.switchTo(step + 2)
          world_.pass(random(400))
          break
      }
    }
    for (const transport of clients) transport.close()
    for (const runtime of releases) {
      expect([seed, runtime.requests.size, runtime.upgraded.size]).toEqual([seed, 0, 0])
    }
    expect([seed, service.queue.size, counters.clients.open]).toEqual([seed, 0, 0])
    // What is left of connections to targets is idle or still connecting, and its time runs out.
    for (let n = 0; n < 200; n += 1) world_.pass(100)
    expect([seed, counters.upstreams.open]).toEqual([seed, 0])
    expect(targets.filter(({ open }) => open)).toEqual([])
  }
})
