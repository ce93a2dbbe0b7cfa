import type { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { get, getAndClose, startEdge, statusOf } from './edge.ts'
import { ok, startTarget } from './target.ts'

const MIB = 1_048_576
const CHUNK = Buffer.alloc(MIB, 'x')

/** After so much the heap has grown to what streaming needs, and may not grow with the body. */
const WARM_UP_BYTES = 50 * MIB

/** Proxy, client and target share this process, so the bound is for all three together. */
const GROWTH_BYTES_MAX = 64 * MIB

it('D1 streams a large upload with bounded memory, the first bytes before the last', async () => {
  const length = 200 * MIB
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(
    `POST / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`,
  )
  const connection = await target.connection(0)
  await connection.head()
  connection.discard()
  let warm = 0
  let peak = 0
  for (let sent = 0; sent < length; sent += MIB) {
    const flows = client.socket.write(CHUNK)
    if (sent === 0) await eventually('the first bytes arrive', () => connection.bytes > 0)
    if (!flows) await new Promise((resolve) => client.socket.once('drain', resolve))
    const { rss } = process.memoryUsage()
    if (sent < WARM_UP_BYTES) warm = Math.max(warm, rss)
    else peak = Math.max(peak, rss)
  }
  await eventually('the last bytes arrive', () => connection.bytes >= length)
  connection.send(ok('thanks'))
  expect(statusOf(await client.sees('thanks'))).toBe(200)
  expect(peak - warm).toBeLessThan(GROWTH_BYTES_MAX)
})

/** Writes for as long as somebody takes it. Returns how many bytes were taken once nobody does. */
const writeUntilStuck = async (
  socket: Socket,
  chunk: Buffer,
  bytesMax: number,
): Promise<number> => {
  let taken = 0
  const writeNext = (): void => {
    if (taken >= bytesMax) return
    socket.write(chunk, () => {
      taken += chunk.length
      writeNext()
    })
  }
  writeNext()
  await eventually('nobody takes any more', async () => {
    const before = taken
    await new Promise((resolve) => setTimeout(resolve, 200))
    return taken === before
  })
  return taken
}

it('makes a client wait whose target does not read its upload', async () => {
  await using edge = await startEdge()
  await using target = await startTarget((connection) => void connection.socket.pause())
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${100 * MIB}\r\n\r\n`)
  const taken = await writeUntilStuck(client.socket, Buffer.alloc(MIB / 4), 100 * MIB)
  expect(taken).toBeGreaterThan(0)
  // What the kernel holds on the two legs, and very little of our own.
  expect(taken).toBeLessThan(40 * MIB)
})

it('makes a client wait that sends on while its first request is not answered', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.send(get())
  await target.connection(0)
  const requests = Buffer.from(get().repeat(2_000))
  const taken = await writeUntilStuck(client.socket, requests, 40 * MIB)
  expect(taken).toBeLessThan(20 * MIB)
})

it('streams a large download to a slow reader with bounded memory', async () => {
  const length = 100 * MIB
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`)
    for (let sent = 0; sent < length && !connection.closed; sent += MIB) {
      const flows = connection.socket.write(CHUNK)
      if (!flows) await new Promise((resolve) => connection.socket.once('drain', resolve))
    }
  })
  edge.route({ targets: [target.url] })
  const client = edge.client()
  client.discard()
  client.send(getAndClose())
  await eventually('it flows', () => client.bytes > 10 * MIB)
  client.socket.pause()
  const connection = await target.connection(0)
  let stuck = -1
  // The kernel's buffers on the way grow for a while.
  await eventually('the target has to wait', async () => {
    stuck = connection.socket.bytesWritten
    await new Promise((resolve) => setTimeout(resolve, 200))
    return connection.socket.writableLength > 0 && connection.socket.bytesWritten === stuck
  })
  expect(stuck).toBeLessThan(length / 2)
  client.socket.resume()
  await eventually('all has come', () => client.bytes > length, 10_000)
})

it('D3 keeps a stream of rare events open for longer than a response may take', async () => {
  await using edge = await startEdge()
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')
  })
  edge.route({ targets: [target.url], limits: { responseMs: 100, idleMs: 2_000 } })
  const client = edge.client()
  client.send(get('/events'))
  const connection = await target.connection(0)
  await client.sees('event-stream')
  for (const n of [1, 2, 3]) {
    await new Promise((resolve) => setTimeout(resolve, 350))
    connection.send(`data: ${n}\n\n`)
    await client.sees(`data: ${n}\n\n`)
  }
  connection.end()
  await eventually('the end came', () => client.over)
  expect(client.error).toBeUndefined()
})
