/**
 * The load generator: a process of its own, with raw sockets. Every connection asks again as soon as it
 * was answered, or makes way for a new one, and every answer is checked: it is a 200, and its body is one of the labels
 * that were acceptable at some moment between the question and the answer.
 *
 * It is started by `startLoad` and talks with it over the channel between the two.
 */
import { connect, type Socket } from 'node:net'

export interface LoadPlan {
  readonly ports: readonly number[]
  readonly connectionsPerPort: number
  readonly host: string
  readonly accept: readonly string[]
  /** From an answer to the next question of the same connection. */
  readonly pauseMs: number
  /** Connections are new for each question, rather than kept. */
  readonly newConnections: boolean
}

export type ToLoad =
  | ({ readonly type: 'start' } & LoadPlan)
  | { readonly type: 'accept'; readonly labels: readonly string[] }
  | { readonly type: 'report' }
  | { readonly type: 'stop' }

export interface LoadReport {
  /** Answers that were complete and acceptable. */
  readonly answered: number
  readonly byLabel: Readonly<Record<string, number>>
  /** Answers per port, in the order of the plan. */
  readonly byPort: readonly number[]
  /** Everything else, the first few in words. */
  readonly failed: number
  readonly failures: readonly string[]
}

const FAILURES_TOLD_MAX = 10
const RECONNECT_MS = 20

const byLabel = new Map<string, number>()
const failures: string[] = []
const asking = new Set<Connection>()
let byPort: number[] = []
let answered = 0
let failed = 0
let acceptable: readonly string[] = []
let stopping = false

const fail = (sentence: string): void => {
  failed += 1
  if (failures.length < FAILURES_TOLD_MAX) failures.push(sentence)
}

/** One keep-alive connection. It opens itself again when it is closed between two questions. */
class Connection {
  readonly #plan: LoadPlan
  readonly #index: number
  readonly #question: string
  #socket: Socket | undefined
  #text = ''
  /** What may come, while a question is open. */
  #expected: Set<string> | undefined

  constructor(plan: LoadPlan, index: number) {
    this.#plan = plan
    this.#index = index
    const last = plan.newConnections ? 'Connection: close\r\n' : ''
    this.#question = `GET / HTTP/1.1\r\nHost: ${plan.host}\r\n${last}\r\n`
  }

  accept(labels: readonly string[]): void {
    for (const label of labels) this.#expected?.add(label)
  }

  open(): void {
    if (stopping) return this.#leave()
    const port = this.#plan.ports[this.#index]
    const socket = connect({ host: '127.0.0.1', port: port ?? 0, noDelay: true })
    this.#socket = socket
    this.#text = ''
    socket.setEncoding('latin1')
    socket.on('connect', () => this.#ask())
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', (error) => {
      if (this.#expected === undefined) fail(`port ${port}: ${error.message}`)
    })
    socket.on('close', () => {
      if (this.#expected !== undefined) {
        fail(`port ${port}: closed with a question open, after ${JSON.stringify(this.#text)}`)
      }
      this.#expected = undefined
      setTimeout(() => this.open(), this.#plan.newConnections ? this.#plan.pauseMs : RECONNECT_MS)
    })
  }

  #ask(): void {
    if (stopping) {
      this.#socket?.removeAllListeners('close')
      this.#socket?.destroy()
      return this.#leave()
    }
    this.#expected = new Set(acceptable)
    this.#socket?.write(this.#question)
  }

  #read(text: string): void {
    this.#text += text
    const end = this.#text.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#text.slice(0, end)
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN)
    if (this.#text.length < end + 4 + length) return
    const body = this.#text.slice(end + 4)
    const expected = this.#expected
    this.#expected = undefined
    this.#text = ''
    this.#judge(head, body, expected)
    if (/\r\nconnection: *close/i.test(head)) this.#socket?.end()
    else if (this.#plan.pauseMs === 0) setImmediate(() => this.#again())
    else setTimeout(() => this.#again(), this.#plan.pauseMs)
  }

  #again(): void {
    if (this.#socket?.writable === true) this.#ask()
  }

  #judge(head: string, body: string, expected: ReadonlySet<string> | undefined): void {
    const where = `port ${this.#plan.ports[this.#index]}`
    if (expected === undefined) return fail(`${where}: an answer that nobody asked for: ${head}`)
    if (!head.startsWith('HTTP/1.1 200 '))
      return fail(`${where}: ${head.split('\r\n')[0]}: ${body}`)
    if (!expected.has(body)) {
      return fail(`${where}: "${body}" when only ${[...expected].join(' or ')} was acceptable`)
    }
    answered += 1
    byPort[this.#index] = (byPort[this.#index] ?? 0) + 1
    byLabel.set(body, (byLabel.get(body) ?? 0) + 1)
  }

  #leave(): void {
    asking.delete(this)
    if (asking.size === 0) finish()
  }
}

const start = (plan: LoadPlan): void => {
  acceptable = plan.accept
  byPort = plan.ports.map(() => 0)
  for (const index of plan.ports.keys()) {
    for (let count = 0; count < plan.connectionsPerPort; count += 1) {
      const connection = new Connection(plan, index)
      asking.add(connection)
      connection.open()
    }
  }
}

const accept = (labels: readonly string[]): void => {
  acceptable = labels
  for (const connection of asking) connection.accept(labels)
}

const report = (): LoadReport => ({
  answered,
  byLabel: Object.fromEntries(byLabel),
  byPort,
  failed,
  failures,
})

const finish = (): void => {
  process.send?.(report())
  process.disconnect?.()
}

process.on('message', (message: ToLoad) => {
  switch (message.type) {
    case 'start':
      start(message)
      break
    case 'accept':
      accept(message.labels)
      break
    case 'report':
      break
    case 'stop':
      // Every connection ends after the answer that it waits for.
      stopping = true
      return
  }
  process.send?.(report())
})
process.on('disconnect', () => process.exit())
