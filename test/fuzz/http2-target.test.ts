/**
 * Targets of HTTP/2 whose frames are put together and broken at random, through a whole data plane without
 * sockets: whatever they say, and in whichever pieces, a client gets an answer or is cut off, an answer
 * that is complete is the same, and nothing is left behind.
 */
import { HEALTH_DEFAULTS, LIMIT_DEFAULTS } from '@gatehouse/domain'
import { expect, it } from 'vitest'
import { createDataPlane } from '../../apps/proxy/src/data-plane.ts'
import type { Sockets, Transport } from '../../apps/proxy/src/transport/transport.ts'
import { createRandom, type Random } from '../simulation/random.ts'
import { MemoryTransport } from './memory-transport.ts'

const EXAMPLES = 400
const REQUESTS = [
  'GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: a\r\nConnection: close, TE\r\nTE: trailers\r\nContent-Length: 5\r\n\r\nhello',
]

it.each([1, 2, 3, 4, 5])(
  'P1 N15 takes any frames of a target alike, however they are cut (seed %i)',
  async (seed) => {
    const random = createRandom(seed)
    const world = createWorld()
    const seen = { complete: 0, refused: 0 }
    for (let example = 0; example < EXAMPLES; example += 1) {
      const request = random.pick(REQUESTS)
      const frames = framesOf(random)
      const greeting = frame(
        SETTINGS,
        0,
        0,
        random.pick(['', '\0\x03\0\0\0\x01', '\0\x04\0\0\0\x03']),
      )
      const whole = await world.play(request, greeting, [frames])
      const cut = await world.play(request, greeting, cutAtRandom(random, frames))
      const about = JSON.stringify({ seed, example, request, frames })
      for (const { text, wasReset } of [whole, cut]) {
        expect([about, wasReset || text.startsWith('HTTP/1.1 ')]).toEqual([about, true])
      }
      // What was broken off may have been told in part, or not at all.
      const isComplete = isAnswer(whole) || isAnswer(cut)
      seen[isComplete ? 'complete' : 'refused'] += 1
      const told = isComplete ? [whole, cut].map(({ text }) => contentOf(text)) : []
      expect([about, told[0]]).toEqual([about, told[1]])
    }
    // Neither may be so rare that nothing is learned.
    expect(Math.min(seen.complete, seen.refused)).toBeGreaterThan(EXAMPLES / 20)
    await world.finish()
  },
)

interface Heard {
  readonly text: string
  readonly wasReset: boolean
}

/** In order to its end, and not of our own making. */
const isAnswer = ({ text, wasReset }: Heard): boolean => !wasReset && !text.includes('Proxy-Status')

/** Status, fields and content, but not how the content was cut into chunks. */
const contentOf = (text: string): readonly string[] => {
  const end = text.indexOf('\r\n\r\n') + 4
  const head = text.slice(0, end)
  if (head.startsWith('HTTP/1.1 1')) return [head, ...contentOf(text.slice(end))]
  if (!head.includes('Transfer-Encoding')) return [head, text.slice(end)]
  let content = ''
  let at = end
  for (;;) {
    const line = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, line), 16)
    if (line < 0 || !(size > 0)) return [head, content, text.slice(at)]
    content += text.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}

const createWorld = () => {
  let accept: (transport: Transport) => void = () => {}
  let targets: MemoryTransport[] = []
  const sockets: Sockets = {
    name: 'net',
    listen: (_, accepts) => {
      accept = accepts
      return Promise.resolve({ host: '', port: 1, close: () => {} })
    },
    connect: (_, owner) => {
      const transport = new MemoryTransport()
      transport.owner = owner
      targets.push(transport)
      setImmediate(() => transport.owner.onConnect())
      return transport
    },
  }
  const plane = createDataPlane({ log: { debug: () => {}, warn: () => {} }, sockets })
  void plane.listen({ host: '', port: 0 })

  const settle = async (client: MemoryTransport): Promise<void> => {
    for (let turns = 0; turns < 4; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      for (const target of targets) while (target.step());
      while (client.step());
    }
  }

  const play = async (
    request: string,
    greeting: string,
    pieces: readonly string[],
  ): Promise<Heard> => {
    targets = []
    plane.setRoute('web', ROUTE)
    const client = new MemoryTransport()
    accept(client)
    client.arrive(request)
    await settle(client)
    // Before that no request is sent, and nothing may be answered.
    for (const target of targets) target.arrive(greeting)
    await settle(client)
    for (const piece of pieces) {
      for (const target of targets) target.arrive(piece)
      for (const target of targets) while (target.step());
      while (client.step());
    }
    await settle(client)
    for (const target of targets) target.arriveEnd()
    await settle(client)
    const heard = { text: client.written, wasReset: client.wasReset }
    client.arriveEnd()
    await settle(client)
    client.destroy()
    await settle(client)
    plane.setRoute('web', undefined)
    await settle(client)
    expect(plane.work().filter(({ requests }) => requests > 0)).toEqual([])
    expect([plane.counters.clients.open, plane.counters.upstreams.open]).toEqual([0, 0])
    return heard
  }

  return { play, finish: () => plane.finish(0) }
}

const ROUTE = {
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
      targets: [{ url: 'h2c://192.0.2.2:1' }],
      health: HEALTH_DEFAULTS,
      drainMs: 1_000,
      limits: LIMIT_DEFAULTS,
      hostHeader: 'preserve',
      metadata: {},
    },
  },
} as const

// Frames, in the order that an answer has, with something else in between now and then.

const framesOf = (random: Random): string => {
  const wanted = [
    frame(SETTINGS, 1, 0, ''),
    ...(random.chance(0.2) ? [frame(HEADERS, 4, 1, literal(':status', '103'))] : []),
    ...answerOf(random),
  ]
  const said = wanted.flatMap((each) =>
    random.chance(0.1) ? [random.pick(STRANGE), each] : random.chance(0.02) ? [] : [each],
  )
  const text = said.join('')
  if (!random.chance(0.2)) return text
  const at = random.below(text.length)
  return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1)
}

const answerOf = (random: Random): readonly string[] => {
  const content = 'x'.repeat(random.pick([0, 1, 5, 5_000]))
  const length = random.chance(0.5) ? literal('content-length', String(content.length)) : ''
  const head = `${random.pick(['\x88', '\x8d', literal(':status', '204')])}${length}${literal('a', 'b')}`
  if (random.chance(0.2)) return [frame(HEADERS, 5, 1, head)]
  const middle = Math.floor(content.length / 2)
  const padding = random.below(4)
  return [
    random.chance(0.2)
      ? frame(HEADERS, 0, 1, head.slice(0, 3)) + frame(CONTINUATION, 4, 1, head.slice(3))
      : frame(HEADERS, 4, 1, head),
    frame(DATA, 0, 1, content.slice(0, middle)),
    ...(random.chance(0.5)
      ? [frame(DATA, 1, 1, content.slice(middle))]
      : [
          frame(
            DATA,
            8,
            1,
            String.fromCharCode(padding) + content.slice(middle) + '\0'.repeat(padding),
          ),
          frame(HEADERS, 5, 1, literal('grpc-status', '0')),
        ]),
  ]
}

const SETTINGS = 4
const HEADERS = 1
const DATA = 0
const CONTINUATION = 9

const frame = (type: number, flags: number, id: number, payload: string): string => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(id, 5)
  return head.toString('latin1') + payload
}

/** HPACK: a field in no table. */
const literal = (name: string, value: string): string =>
  `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`

const STRANGE = [
  frame(6, 0, 0, '12345678'),
  frame(6, 1, 0, 'alive?  '),
  frame(8, 0, 0, '\0\0\0\x01'),
  frame(8, 0, 1, '\0\0\0\x01'),
  frame(8, 0, 1, '\0\0\0\0'),
  frame(3, 0, 1, '\0\0\0\0'),
  frame(3, 0, 1, '\0\0\0\x08'),
  frame(7, 0, 0, '\0\0\0\0\0\0\0\0'),
  frame(7, 0, 0, '\0\0\0\x01\0\0\0\0'),
  frame(SETTINGS, 0, 0, '\0\x04\0\x01\0\0'),
  frame(SETTINGS, 0, 0, '\0\x03\0\0\0\0'),
  frame(DATA, 0, 1, 'more'),
  frame(DATA, 0, 3, 'other'),
  frame(HEADERS, 4, 1, '\x88'),
  frame(HEADERS, 4, 1, '\xbe'),
  frame(HEADERS, 4, 1, literal('connection', 'close')),
  frame(5, 4, 1, '\0\0\0\x02'),
  frame(99, 255, 1, 'unknown'),
  frame(3, 0, 1, 'short'),
]

const cutAtRandom = (random: Random, text: string): readonly string[] => {
  const pieces: string[] = []
  for (let at = 0; at < text.length;) {
    const to = at + 1 + random.below(random.pick([2, 20, 2_000]))
    pieces.push(text.slice(at, to))
    at = to
  }
  return pieces
}
