/** What clients cost that stall on purpose, seen from the outside: memory, descriptors, processor time. */
import { connect, type Socket } from 'node:net'
import { expect, inject, it } from 'vitest'
import type { Counters } from '../../../apps/proxy/src/serve/counters.ts'
import { usageOf } from '../../bench/process-usage.ts'
import { ask } from '../../support/client.ts'
import { eventually } from '../../support/eventually.ts'
import { startProcess, type TestProcess } from '../../support/process.ts'
import type { PlaneSketch } from './programs/plane.ts'
import { always, ok, startTarget, type TargetConnection } from './target.ts'

const PROGRAM = 'test/integration/proxy/programs/plane.ts'

/** What a stalled connection may cost within its head, and later: 40 and 256 KiB. */
const HEAD_MB_MAX = 0.041
const CONNECTION_MB_MAX = 0.262
/** By which the process grows with any work at all, until its garbage is collected. */
const WARM_MB_MAX = 100
const MEGABYTE = Buffer.alloc(1_000_000, 'x')

interface Plane extends TestProcess {
  readonly port: number
  readonly pid: number
  readonly counters: () => Counters
}

const startPlane = async (sketch: PlaneSketch, descriptorsMax?: number): Promise<Plane> => {
  const limit = descriptorsMax === undefined ? '' : `ulimit -n ${descriptorsMax}; `
  const script = `${limit}exec "$0" "$1" "$2"`
  const words = [
    '-c',
    script,
    process.execPath,
    PROGRAM,
    JSON.stringify({ transport: inject('transport'), ...sketch }),
  ]
  const started = startProcess('sh', words, process.env)
  const said = (): { readonly port: number; readonly counters: Counters } =>
    // The last whole line that the program wrote.
    JSON.parse(started.output().split('\n').at(-2) ?? '')
  const { port } = await eventually('the plane listens', said, 20_000)
  return { ...started, port, pid: started.child.pid ?? 0, counters: () => said().counters }
}

const request = (host: string, ...lines: readonly string[]): string =>
  [...lines, `Host: ${host}`, '', ''].join('\r\n')

/** Each begins something that it does not end. */
const ATTACKS: readonly (readonly [
  count: number,
  costMbMax: number,
  begin: (socket: Socket) => void,
])[] = [
  // A head of nearly the largest size.
  [600, HEAD_MB_MAX, (socket) => socket.write(`GET / HTTP/1.1\r\nX: ${'x'.repeat(16_000)}`)],
  // Bodies whose target reads nothing: these have the connections to it, and the rest wait for one.
  [
    250,
    CONNECTION_MB_MAX,
    (socket) => {
      socket.write(request('mute', 'POST / HTTP/1.1', 'Content-Length: 90000000'))
      socket.write(MEGABYTE)
    },
  ],
  // An answer of which nothing is read.
  [
    25,
    CONNECTION_MB_MAX,
    (socket) => {
      socket.pause()
      socket.write(request('loud', 'GET / HTTP/1.1'))
    },
  ],
]

const attack = async (port: number): Promise<readonly Socket[]> => {
  const sockets: Socket[] = []
  for (const [count, , begin] of ATTACKS) {
    for (let n = 0; n < count; n += 1) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      begin(socket)
      sockets.push(socket)
      // The target is in this process as well, and has to get its turn.
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return sockets
}

/** Reads nothing of a body, or answers without an end. */
const stubborn = async (connection: TargetConnection): Promise<void> => {
  const { socket } = connection
  if ((await connection.head()).startsWith('POST')) socket.pause()
  else {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n')
    const more = (): void => {
      while (socket.write(MEGABYTE));
    }
    socket.on('drain', more)
    more()
  }
}

it('P2 holds hundreds of stalled connections in bounded memory, and serves all others', async () => {
  await using target = await startTarget(stubborn)
  const { url } = target
  await using honest = await startTarget(always(ok('x')))
  await using plane = await startPlane({
    limits: { connectionsMax: 50 },
    routes: { mute: url, loud: url, honest: honest.url },
  })
  const before = await usageOf(plane.pid)
  const costsMb: number[] = []
  for (let wave = 0; wave < 2; wave += 1) {
    const sockets = await attack(plane.port)
    await eventually('all are in', () => plane.counters().clients.open >= sockets.length, 30_000)
    expect((await ask(plane.port, { host: 'honest' })).status).toBe(200)
    costsMb.push((await usageOf(plane.pid)).memoryMb - before.memoryMb)
    for (const socket of sockets) socket.destroy()
    for (const { socket } of target.connections) socket.destroy()
    await eventually('all are gone', () => plane.counters().clients.open <= 1, 20_000)
    await eventually('their targets are', () => plane.counters().upstreams.open <= 1, 20_000)
  }
  const costMbMax = ATTACKS.reduce((sum, [count, costMb]) => sum + count * costMb, WARM_MB_MAX)
  // What the first wave left behind was used again by the second.
  expect(Math.max(...costsMb)).toBeLessThan(costMbMax)
}, 90_000)

it('P2 neither ends nor spins when there are no descriptors left, and goes on when there are', async () => {
  await using target = await startTarget(always(ok('x')))
  await using plane = await startPlane({ routes: { honest: target.url } }, 64)
  const sockets = Array.from({ length: 100 }, () => {
    const socket = connect(plane.port, '127.0.0.1')
    socket.on('error', () => {})
    return socket
  })
  await eventually('some had to go', () => sockets.some(({ closed }) => closed))
  const from = await usageOf(plane.pid)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const spent = (await usageOf(plane.pid)).cpuMs - from.cpuMs
  expect(spent).toBeLessThan(300)
  expect(plane.counters().clients.open).toBeGreaterThan(10)
  for (const socket of sockets) socket.destroy()
  await eventually('it serves', async () => {
    return (await ask(plane.port, { host: 'honest' })).status === 200
  })
})
