/**
 * Frames that are put together and broken at random, through a whole data plane without sockets: whatever
 * comes, in whichever pieces, what goes out is HTTP/2, is the same, and leaves nothing behind.
 */
import { HEALTH_DEFAULTS, LIMIT_DEFAULTS } from '@gatehouse/domain'
import { expect, it } from 'vitest'
import { createDataPlane, type DataPlane } from '../../apps/proxy/src/data-plane.ts'
import type { Sockets, Transport } from '../../apps/proxy/src/transport/transport.ts'
import { createRandom, type Random } from '../simulation/random.ts'
import { MemoryTransport } from './memory-transport.ts'

const EXAMPLES = 400
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const RST_STREAM = 3
const HEADERS = 1
const DATA = 0

it.each([1, 2, 3, 4, 5])(
  'P1 D22 answers any frames alike, however they are cut (seed %i)',
  async (seed) => {
    const random = createRandom(seed)
    const world = createWorld()
    for (let example = 0; example < EXAMPLES; example += 1) {
      const input = inputOf(random)
      const whole = await world.play([input])
      const cut = await world.play(cutAtRandom(random, input))
      const about = JSON.stringify({ seed, example, input })
      expect([about, shapeOf(cut)]).toEqual([about, shapeOf(whole)])
      expect([about, problemsOf(whole)]).toEqual([about, []])
    }
    await world.plane.finish(0)
  },
)

interface Frame {
  readonly type: number
  readonly flags: number
  readonly id: number
  readonly payload: string
}

const framesOf = (text: string): readonly Frame[] => {
  const frames: Frame[] = []
  for (let at = 0; at < text.length;) {
    const octets = Buffer.from(text.slice(at, at + 9), 'latin1')
    const length = octets.readUIntBE(0, 3)
    const payload = text.slice(at + 9, at + 9 + length)
    if (payload.length < length) throw new Error('a frame is cut short')
    frames.push({
      type: octets[3] ?? 0,
      flags: octets[4] ?? 0,
      id: octets.readUInt32BE(5),
      payload,
    })
    at += 9 + length
  }
  return frames
}

/** Heads carry ids and dates of their own; everything else is the same whenever it is sent. */
const shapeOf = (text: string): unknown =>
  framesOf(text).map(({ type, flags, id, payload }) => [
    type,
    flags,
    id,
    type === HEADERS ? '' : payload,
  ])

/** What RFC 9113 §5.1 does not let us send. */
const problemsOf = (text: string): readonly string[] => {
  const over = new Set<number>()
  const problems: string[] = []
  for (const { type, flags, id, payload } of framesOf(text)) {
    if (payload.length > 16_384) problems.push(`a frame of ${payload.length}`)
    if (id === 0) continue
    if (over.has(id) && type !== RST_STREAM) problems.push(`type ${type} behind the end of ${id}`)
    const ends = type === RST_STREAM || ((type === HEADERS || type === DATA) && (flags & 1) !== 0)
    if (ends) over.add(id)
  }
  return problems
}

interface World {
  readonly plane: DataPlane
  /** All that is written to a client that sends these pieces, one read each. */
  play(pieces: readonly string[]): Promise<string>
}

const createWorld = (): World => {
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
  plane.setRoute('web', ROUTE)

  const settle = async (client: MemoryTransport): Promise<void> => {
    for (let turns = 0; turns < 4; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      for (const target of targets) while (target.step());
      while (client.step());
    }
  }

  const play = async (pieces: readonly string[]): Promise<string> => {
    targets = []
    const client = new MemoryTransport()
    accept(client)
    for (const piece of pieces) {
      client.arrive(piece)
      while (client.step());
    }
    await settle(client)
    for (const target of targets) {
      // One answer to whatever has come, as soon as there is a head.
      if (target.written.includes('\r\n\r\n')) target.arrive(ANSWER)
      target.arriveEnd()
    }
    await settle(client)
    client.arriveEnd()
    await settle(client)
    client.destroy()
    while (client.step());
    await settle(client)
    expect(plane.counters.clients.open).toBe(0)
    expect(plane.work().filter(({ requests }) => requests > 0)).toEqual([])
    expect(plane.counters.upstreams.open).toBe(0)
    return client.written
  }
  return { plane, play }
}

const ANSWER =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-Late: yes\r\n\r\n'

const ROUTE = {
  service: 'web',
  hosts: ['app.test'],
  traffic: { mode: 'running' },
  drains: [],
  active: {
    revision: 1,
    ejected: [],
    release: {
      id: 'r1',
      hosts: ['app.test'],
      targets: [{ url: 'http://target:80' }],
      health: HEALTH_DEFAULTS,
      drainMs: 500,
      limits: LIMIT_DEFAULTS,
      hostHeader: 'preserve',
      metadata: {},
    },
  },
} as const

/** A preface, SETTINGS, and frames that mostly make sense, with an octet changed every now and then. */
const inputOf = (random: Random): string => {
  let frames = frame(4, 0, 0, random.chance(0.3) ? octets(0, 4, 0, 0, 0, random.below(20)) : '')
  let nextId = 1
  for (let left = 1 + random.below(12); left > 0; left -= 1) {
    const id = random.chance(0.7) ? Math.max(1, nextId - 2) : 2 * random.below(8) + 1
    switch (random.below(10)) {
      case 0:
      case 1:
      case 2: {
        frames += head(random, nextId)
        nextId += 2
        break
      }
      case 3:
      case 4:
        frames += frame(DATA, random.below(2) | (random.chance(0.2) ? 8 : 0), id, '\x02content: ..')
        break
      case 5:
        frames += frame(8, 0, random.chance(0.5) ? 0 : id, octets(0, 0, 0, 1 + random.below(9)))
        break
      case 6:
        frames += frame(RST_STREAM, 0, id, octets(0, 0, 0, 8))
        break
      case 7:
        frames += frame(HEADERS, 5, id, literal('x-trailer', 'late'))
        break
      case 8:
        frames += frame(6, 0, 0, 'p-i-n-g!')
        break
      default:
        frames += frame(random.below(20), random.below(256), id, 'x'.repeat(random.below(12)))
    }
  }
  if (random.chance(0.3)) {
    const place = random.below(frames.length)
    frames = frames.slice(0, place) + octets(random.below(256)) + frames.slice(place + 1)
  }
  return PREFACE + frames
}

const head = (random: Random, id: number): string => {
  const fields = [
    literal(':method', random.pick(['GET', 'POST', 'HEAD'])),
    literal(':scheme', 'http'),
    literal(':path', random.pick(['/', '/a'])),
    literal(':authority', random.pick(['app.test', 'app.test', 'nobody.test'])),
  ]
  if (random.chance(0.3)) fields.push(literal('content-length', random.pick(['5', '12', '0'])))
  if (random.chance(0.3)) fields.push(literal('te', 'trailers'))
  if (random.chance(0.1)) fields.push(literal('Bad', 'name'))
  const block = fields.join('')
  const ends = random.below(2)
  if (random.chance(0.7)) return frame(HEADERS, 4 | ends, id, block)
  const place = random.below(block.length)
  return frame(HEADERS, ends, id, block.slice(0, place)) + frame(9, 4, id, block.slice(place))
}

const cutAtRandom = (random: Random, input: string): readonly string[] => {
  const pieces: string[] = []
  for (let at = 0; at < input.length;) {
    const length = 1 + random.below(random.chance(0.5) ? 4 : 60)
    pieces.push(input.slice(at, at + length))
    at += length
  }
  return pieces
}

const octets = (...codes: readonly number[]): string => String.fromCharCode(...codes)

const frame = (type: number, flags: number, id: number, payload: string): string =>
  octets(0, payload.length >> 8, payload.length & 255, type, flags, 0, 0, id >> 8, id & 255) +
  payload

const literal = (name: string, value: string): string =>
  `\0${octets(name.length)}${name}${octets(value.length)}${value}`
