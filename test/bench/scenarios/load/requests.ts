/** Requests over raw keep-alive sockets, in one of two ways: as quickly as answers come, or at a rate. */
import { connect, type Socket } from 'node:net'
import { portFor, RETRY_MS, STOP_MS_MAX, type Driver, type DriverParts } from './driver.ts'
import type { RequestPlan } from './plan.ts'

const TICK_MS = 1
/** After the end, for what was due before it and still waits for a connection. */
const BACKLOG_MS_MAX = 1_000

export const driveRequests = (plan: RequestPlan, parts: DriverParts): Driver => {
  const question = questionOf(plan)
  const { ratePerSecond } = plan
  const pace = ratePerSecond === undefined ? closedLoop(plan) : openLoop(ratePerSecond)
  const connections = Array.from(
    { length: plan.connections },
    (_, index) => new Connection(plan, parts, portFor(plan.ports, index), question, pace),
  )
  for (const connection of connections) connection.open()
  return {
    stop: async () => {
      const unsent = await pace.stop()
      for (let count = 0; count < unsent; count += 1) {
        parts.book.failed('was due and could not be sent: the rate is above what can be served')
      }
      await Promise.all(connections.map((connection) => connection.stop()))
    },
  }
}

/** Says when a connection asks next. */
interface Pace {
  readonly isFree: (connection: Connection) => void
  readonly isGone: (connection: Connection) => void
  /** No more is due. Returns how many were due and could not be sent. */
  readonly stop: () => Promise<number>
}

const closedLoop = ({ pauseMs = 0 }: RequestPlan): Pace => ({
  isFree: (connection) => {
    const ask = (): void => void connection.ask(performance.now())
    // A timer would take a millisecond at least.
    if (pauseMs === 0) setImmediate(ask)
    else setTimeout(ask, pauseMs)
  },
  isGone: () => undefined,
  stop: () => Promise.resolve(0),
})

/**
 * Every request is due at a fixed moment, and waits from then on, if need be, for a free connection. A
 * slow answer therefore shows in those that wait behind it, as it does to people.
 */
const openLoop = (ratePerSecond: number): Pace => {
  const free: Connection[] = []
  const begunAt = performance.now()
  let stoppedAt: number | undefined
  let sent = 0
  const dueUntil = (now: number): number =>
    Math.floor((Math.min(now, stoppedAt ?? now) - begunAt) * (ratePerSecond / 1_000))
  const freeIfDue = (): Connection | undefined =>
    sent < dueUntil(performance.now()) ? free.pop() : undefined
  const send = (): void => {
    for (let next = freeIfDue(); next !== undefined; next = freeIfDue()) {
      const dueAt = begunAt + (sent + 1) * (1_000 / ratePerSecond)
      if (next.ask(dueAt)) sent += 1
    }
  }
  const ticking = setInterval(send, TICK_MS)
  return {
    isFree: (connection) => {
      free.push(connection)
      send()
    },
    isGone: (connection) => {
      const place = free.indexOf(connection)
      if (place >= 0) free.splice(place, 1)
    },
    stop: async () => {
      stoppedAt = performance.now()
      const unsent = (): number => dueUntil(performance.now()) - sent
      const end = stoppedAt + BACKLOG_MS_MAX
      while (unsent() > 0 && performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, TICK_MS))
      }
      clearInterval(ticking)
      return unsent()
    },
  }
}

/** One connection, which opens itself again whenever it has been closed. */
class Connection {
  readonly #plan: RequestPlan
  readonly #parts: DriverParts
  readonly #port: number
  readonly #question: Buffer
  readonly #pace: Pace
  #socket: Socket | undefined
  #text = ''
  #asked = 0
  /** While a question is open. */
  #open: { readonly sinceMs: number; readonly moment: number } | undefined
  #openedAtMs = 0
  #onStopped: (() => void) | undefined

  constructor(plan: RequestPlan, parts: DriverParts, port: number, question: Buffer, pace: Pace) {
    this.#plan = plan
    this.#parts = parts
    this.#port = port
    this.#question = question
    this.#pace = pace
  }

  open(): void {
    if (this.#onStopped !== undefined) return this.#onStopped()
    this.#openedAtMs = performance.now()
    this.#text = ''
    this.#asked = 0
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true })
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('connect', () => this.#pace.isFree(this))
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', (error) => {
      if (this.#open === undefined) this.#parts.book.failed(`port ${this.#port}: ${error.message}`)
    })
    socket.on('close', () => {
      this.#pace.isGone(this)
      if (this.#open !== undefined) {
        const got = JSON.stringify(this.#text.slice(0, 100))
        this.#parts.book.failed(`port ${this.#port}: closed with a question open, after ${got}`)
        this.#open = undefined
      }
      // Where every request has a connection of its own, waiting would only make them fewer.
      const waitMs = this.#asked === this.#plan.requestsPerConnection ? 0 : RETRY_MS
      setTimeout(() => this.open(), waitMs)
    })
  }

  /** False when it has been closed meanwhile. */
  ask(sinceMs: number): boolean {
    const socket = this.#socket
    if (socket?.writable !== true || this.#onStopped !== undefined) return false
    // To open a connection is part of what its only requests cost.
    const isNew = this.#asked === 0 && this.#plan.requestsPerConnection !== undefined
    const openedOrAsked = isNew ? Math.min(sinceMs, this.#openedAtMs) : sinceMs
    this.#open = { sinceMs: openedOrAsked, moment: this.#parts.judge.moment() }
    this.#asked += 1
    socket.write(this.#question)
    return true
  }

  /** Waits for the answer of an open question. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#socket?.destroy(), STOP_MS_MAX)
      this.#onStopped = () => {
        clearTimeout(late)
        resolve()
      }
      if (this.#open === undefined) this.#socket?.destroy()
    })
  }

  #read(text: string): void {
    this.#text += text
    const end = this.#text.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#text.slice(0, end)
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN)
    // Without a length, the end of the connection would be that of the answer: none of ours has that.
    if (!(this.#text.length >= end + 4 + length)) return
    const body = this.#text.slice(end + 4)
    const question = this.#open
    this.#open = undefined
    this.#text = ''
    const status = head.slice(9, 12)
    if (question === undefined) {
      this.#parts.book.failed(`port ${this.#port}: an answer that nobody asked for: ${head}`)
    } else {
      const answer = status === '200' ? `200 ${body}` : status
      const tookMs = performance.now() - question.sinceMs
      this.#parts.book.answered(answer, question.moment, tookMs, body.trim())
    }
    if (this.#onStopped !== undefined) this.#socket?.destroy()
    else if (this.#asked === this.#plan.requestsPerConnection) this.#socket?.destroy()
    else if (/\r\nconnection: *close/i.test(head)) this.#socket?.end()
    else this.#pace.isFree(this)
  }
}

const questionOf = ({ host, uploadBytes }: RequestPlan): Buffer =>
  uploadBytes === undefined
    ? Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    : Buffer.concat([
        Buffer.from(
          `POST /upload HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${uploadBytes}\r\n\r\n`,
        ),
        Buffer.alloc(uploadBytes, 'u'),
      ])
