/**
 * WebSocket clients on raw sockets, as cheap as Node allows: each sends one message, which was framed
 * beforehand, and the next when the echo has come. Every echo is compared.
 */
import { connect, type Socket } from 'node:net'
import type { Sent } from '../data-path/load.ts'
import { quantile } from '../statistics.ts'

export interface WebSocketLoadTask {
  readonly port: number
  readonly host: string
  readonly connections: number
  readonly seconds: number
  /** At most 125, which fits the shortest frame. */
  readonly payloadBytes: number
}

/** RFC 6455 §5.2: the last frame of a text message, and the bit that says that it is masked. */
const TEXT = 0x81
const MASKED = 0x80
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
const MS_PER_SECOND = 1_000
/** How long connections may take to open, and last echoes to come. */
const PATIENCE_MS = 10_000

// Written by `Processes.talkTo`.
const task = JSON.parse(process.argv[2] ?? '') as WebSocketLoadTask
const payload = Buffer.alloc(task.payloadBytes, 'x')
const question = Buffer.concat([
  Buffer.from([TEXT, MASKED | payload.length]),
  MASK,
  payload.map((byte, index) => byte ^ (MASK[index & 3] ?? 0)),
])
const echo = Buffer.concat([Buffer.from([TEXT, payload.length]), payload])

const tookMs: number[] = []
let errors = 0
let stopping = false

const run = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    let askedAt = 0
    let waiting: Buffer = Buffer.alloc(0)
    const ask = (): void => {
      askedAt = performance.now()
      socket.write(question)
    }
    const leave = (): void => {
      socket.removeAllListeners('close')
      socket.destroy()
      resolve()
    }
    socket.on('data', (chunk: Buffer) => {
      waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk])
      if (waiting.length < echo.length) return
      tookMs.push(performance.now() - askedAt)
      if (!waiting.equals(echo)) errors += 1
      waiting = Buffer.alloc(0)
      if (stopping) leave()
      else ask()
    })
    socket.on('close', () => {
      errors += 1
      resolve()
    })
    ask()
  })

const open = (): Promise<Socket | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: task.port, noDelay: true })
    socket.on('error', () => resolve(undefined))
    socket.write(
      `GET /echo HTTP/1.1\r\nHost: ${task.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    )
    let head = ''
    const onData = (chunk: Buffer): void => {
      head += chunk.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      socket.off('data', onData)
      resolve(head.startsWith('HTTP/1.1 101 ') ? socket : undefined)
    }
    socket.on('data', onData)
  })

setTimeout(() => process.exit(1), PATIENCE_MS + task.seconds * MS_PER_SECOND)
process.on('disconnect', () => process.exit())

const sockets = await Promise.all(Array.from({ length: task.connections }, open))
errors += sockets.filter((socket) => socket === undefined).length
const startedAt = performance.now()
setTimeout(() => (stopping = true), task.seconds * MS_PER_SECOND)
await Promise.all(sockets.filter((socket) => socket !== undefined).map(run))
const sent: Sent = {
  // Each question and its echo are two messages through the proxy.
  answered: tookMs.length * 2,
  seconds: (performance.now() - startedAt) / MS_PER_SECOND,
  errors,
  p50Ms: tookMs.length === 0 ? Number.NaN : quantile(tookMs, 0.5),
  p99Ms: tookMs.length === 0 ? Number.NaN : quantile(tookMs, 0.99),
}
process.send?.(sent)
