/**
 * The reading of requests on a client's connection: bytes become heads, and each head goes to whoever
 * answers it before the next one is read. Requests that arrive early (RFC 9112 §9.3.2) are kept,
 * bounded, and read in their order.
 */
import { failureOfRefusal, type Failure } from '../http/failure.ts'
import { headEnd, headText, refusalOfEndlessHead } from '../http/head-end.ts'
import { HEAD_BYTES_MAX } from '../http/limits.ts'
import { createRequestHead, type RequestHead } from '../http/request.ts'
import type { ServeContext } from './context.ts'
import type { ExchangeClient } from './exchange-client.ts'
import type { Exchange } from './exchange.ts'
import type { Exchanges } from './exchanges.ts'
import { REQUESTS_AT_ONCE_MAX } from './limits.ts'
import type { Stage } from './stage.ts'

/** The connection whose requests they are. */
export interface RequestClient extends ExchangeClient {
  /** A head was read into the exchange, and what follows it begins at `from` of the buffer. */
  onRequest(exchange: Exchange, buffer: Buffer, from: number, to: number): void
  /** `head`: as far as it could be read, and without a method. */
  onRefused(failure: Failure, head: RequestHead): void
  /** There will be no other request. */
  onNoRequest(): void
}

export interface ReadingParts {
  readonly context: ServeContext
  readonly exchanges: Exchanges
}

type State =
  /** Nothing of a next request has come, or it has been kept unread. */
  | 'idle'
  /** A part of a head has come. */
  | 'head'
  /** Others have the connection. */
  | 'away'

/** Of a request that did not get as far as that. */
const NO_HEAD = createRequestHead()

export class RequestReading implements Stage {
  readonly #parts: ReadingParts
  readonly #client: RequestClient
  #state: State = 'idle'
  /** A head is being read further up the stack, which goes on when that is done. */
  #reading = false
  /** Requests wait that have come early, because others have their turn first. */
  #goesOnLater = false

  constructor(parts: ReadingParts, client: RequestClient) {
    this.#parts = parts
    this.#client = client
  }

  get busy(): boolean {
    return false
  }

  /** The connection is between two requests. */
  rest(): void {
    this.#state = 'idle'
    const { socket } = this.#client
    const { limits, stopping } = this.#parts.context
    if (socket.halfClosed && !socket.hasKept) {
      this.#leave()
      return
    }
    socket.arm(stopping ? limits.retiringIdleMs : limits.clientIdleMs)
    this.#readKept()
  }

  /** Reads what is kept, which is a request at least. */
  readAgain(): void {
    this.#state = 'idle'
    this.#readKept()
  }

  /**
   * The proxy ends. What is idle may be asked again at this very moment, so it is told with that answer
   * (RFC 9112 §9.6), and closed when no question comes.
   */
  retire(): void {
    if (this.#state === 'idle') this.#client.socket.arm(this.#parts.context.limits.retiringIdleMs)
  }

  onClientData(buffer: Buffer, length: number): void {
    const { socket } = this.#client
    if (socket.hasKept || this.#goesOnLater) {
      socket.keep(buffer, 0, length)
      if (socket.congested || this.#goesOnLater) return
      const kept = socket.takeKept()
      this.#reading = true
      this.#readHead(kept, kept.length)
    } else {
      this.#reading = true
      this.#readHead(buffer, length)
    }
    this.#reading = false
    this.#readKept()
  }

  onClientDrain(): void {
    if (this.#state !== 'idle') return
    this.#client.socket.blockReading(false)
    this.#readKept()
  }

  onClientEnd(): void {
    if (this.#state === 'head' || !this.#client.socket.hasKept) this.#leave()
  }

  onClientClose(): void {
    this.#state = 'away'
  }

  onDeadline(): void {
    if (this.#state === 'head') this.#refuse('request-timeout', NO_HEAD)
    else this.#leave()
  }

  cut(): void {
    this.#client.socket.destroy()
  }

  /** A loop rather than a recursion: a thousand requests may have come in one read. */
  #readKept(): void {
    if (this.#reading || this.#goesOnLater) return
    const { socket } = this.#client
    this.#reading = true
    let left = REQUESTS_AT_ONCE_MAX
    while (this.#state === 'idle' && socket.hasKept && !socket.congested) {
      if (left === 0) {
        this.#goOnLater()
        break
      }
      left -= 1
      const kept = socket.borrowKept()
      this.#readHead(kept, kept.length)
      socket.returned()
    }
    this.#reading = false
    // A client that takes no answers gets to ask no more, until it has.
    if (this.#state === 'idle') socket.blockReading(socket.congested)
  }

  #goOnLater(): void {
    this.#goesOnLater = true
    setImmediate(() => {
      this.#goesOnLater = false
      if (this.#state === 'idle') this.#readKept()
    })
  }

  #readHead(buffer: Buffer, length: number): void {
    const text = headText(buffer, 0, length)
    const end = headEnd(text)
    if (end < 0) {
      this.#awaitHead(text, buffer, length)
      return
    }
    const { context, exchanges } = this.#parts
    const exchange = exchanges.take(this.#client)
    const { head } = exchange
    const refusal = context.readers.request(text, end, head)
    if (refusal === 0) {
      this.#state = 'away'
      this.#client.onRequest(exchange, buffer, end, length)
      return
    }
    head.method = ''
    this.#refuse(failureOfRefusal(refusal), head)
    exchanges.give(exchange)
  }

  #awaitHead(text: string, buffer: Buffer, length: number): void {
    const { socket } = this.#client
    if (text.length === HEAD_BYTES_MAX) {
      this.#refuse(failureOfRefusal(refusalOfEndlessHead(text)), NO_HEAD)
    } else if (socket.halfClosed) this.#leave()
    else {
      if (this.#state === 'idle') socket.arm(this.#parts.context.limits.headMs)
      this.#state = 'head'
      socket.keep(buffer, 0, length)
    }
  }

  #refuse(failure: Failure, head: RequestHead): void {
    this.#state = 'away'
    this.#client.onRefused(failure, head)
  }

  #leave(): void {
    this.#state = 'away'
    this.#client.onNoRequest()
  }
}
