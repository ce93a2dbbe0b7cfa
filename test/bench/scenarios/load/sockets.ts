/** WebSockets: each says something, waits for the echo, and looks whether it is the same. */
import { WebSocket, type RawData } from 'ws'
import { portFor, RETRY_MS, STOP_MS_MAX, type Driver, type DriverParts } from './driver.ts'
import type { SocketPlan } from './plan.ts'

/** On both sides of each length that frames write differently (RFC 6455 §5.2), and of a read. */
const MESSAGE_BYTES = [16, 125, 126, 1_400, 65_535, 65_536]
const MESSAGES = MESSAGE_BYTES.map((bytes, index) => ({
  data: Buffer.alloc(bytes, 97 + index),
  binary: index % 2 === 1,
}))
const CLOSE_NORMALLY = 1_000

export const driveSockets = (plan: SocketPlan, parts: DriverParts): Driver => {
  const clients = Array.from(
    { length: plan.connections },
    (_, index) => new Client(plan, parts, portFor(plan.ports, index), index),
  )
  for (const client of clients) client.open()
  return { stop: async () => void (await Promise.all(clients.map((client) => client.stop()))) }
}

class Client {
  readonly #plan: SocketPlan
  readonly #parts: DriverParts
  readonly #url: string
  #socket: WebSocket | undefined
  #number: number
  #moment = 0
  #echoes = 0
  #greeted = false
  /** While an echo is awaited. */
  #sentAtMs: number | undefined
  /** We have closed it ourselves. */
  #leaving = false
  #onStopped: (() => void) | undefined

  constructor(plan: SocketPlan, parts: DriverParts, port: number, number: number) {
    this.#plan = plan
    this.#parts = parts
    this.#url = `ws://127.0.0.1:${port}/socket`
    this.#number = number
  }

  open(): void {
    if (this.#onStopped !== undefined) return this.#onStopped()
    this.#moment = this.#parts.judge.moment()
    this.#echoes = 0
    this.#greeted = false
    this.#leaving = false
    this.#sentAtMs = undefined
    const headers = { host: this.#plan.host }
    const socket = new WebSocket(this.#url, { headers, perMessageDeflate: false })
    this.#socket = socket
    // A greeting with the label of who answers comes first, then only echoes.
    socket.once('message', (label) => {
      this.#greeted = true
      this.#parts.book.answered(`101 ${textOf(label)}`, this.#moment)
      socket.on('message', (data, isBinary) => this.#hear(data, isBinary))
      this.#say()
    })
    let error = ''
    socket.on('error', ({ message }) => (error = message))
    socket.on('close', (code) => {
      const wasAsked = this.#leaving
      if (!wasAsked) this.#parts.book.failed(`a WebSocket was closed with ${code} ${error}`.trim())
      this.#socket = undefined
      setTimeout(() => this.open(), wasAsked ? 0 : RETRY_MS)
    })
  }

  /** Waits for an open greeting or echo. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#socket?.terminate(), STOP_MS_MAX)
      this.#onStopped = () => {
        clearTimeout(late)
        resolve()
      }
      const isOpen = this.#socket?.readyState === WebSocket.OPEN
      if (isOpen && this.#greeted && this.#sentAtMs === undefined) this.#leave()
    })
  }

  #say(): void {
    const socket = this.#socket
    if (socket?.readyState !== WebSocket.OPEN || this.#leaving) return
    if (this.#onStopped !== undefined) return this.#leave()
    const { data, binary } = this.#message()
    this.#sentAtMs = performance.now()
    socket.send(data, { binary })
  }

  #hear(data: RawData, isBinary: boolean): void {
    const sent = this.#message()
    const same = isBinary === sent.binary && sent.data.equals(bytesOf(data))
    if (this.#sentAtMs === undefined) return this.#parts.book.failed('an echo of nothing')
    if (same)
      this.#parts.book.answered(
        'echo',
        this.#parts.judge.moment(),
        performance.now() - this.#sentAtMs,
      )
    else this.#parts.book.failed(`an echo that is not what was sent (${sent.data.length} bytes)`)
    this.#sentAtMs = undefined
    this.#echoes += 1
    if (this.#onStopped !== undefined || this.#echoes === this.#plan.messagesPerSocket) {
      this.#leave()
    } else if (this.#plan.pauseMs === 0) this.#say()
    else setTimeout(() => this.#say(), this.#plan.pauseMs)
  }

  /** In turns with a closing handshake and as a client does that loses its network. */
  #leave(): void {
    this.#leaving = true
    this.#number += 1
    if (this.#number % 2 === 0) this.#socket?.close(CLOSE_NORMALLY)
    else this.#socket?.terminate()
  }

  #message(): (typeof MESSAGES)[number] {
    const message = MESSAGES[(this.#number + this.#echoes) % MESSAGES.length]
    if (message === undefined) throw new Error('there is always a message')
    return message
  }
}

const bytesOf = (data: RawData): Buffer => {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

const textOf = (data: RawData): string => bytesOf(data).toString('utf8')
