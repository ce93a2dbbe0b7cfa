/**
 * A client's connection: it reads heads, asks the gate what becomes of each request, and has one
 * exchange at a time. Requests that arrive early (RFC 9112 §9.3.2) are kept, bounded, and answered in
 * their order.
 */
import type { Answer } from '../http/answer.ts'
import { failureOfRefusal, type Failure } from '../http/failure.ts'
import { keptRequestId, type Peer } from '../http/forward-head.ts'
import { headEnd, headText, refusalOfEndlessHead } from '../http/head-end.ts'
import { HEAD_BYTES_MAX } from '../http/limits.ts'
import { createRequestHead } from '../http/request.ts'
import { PREFACE_HEAD } from '../http2/protocol.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'
import type { TimerOwner } from '../wheel.ts'
import { ClientSocket } from './client-socket.ts'
import type { ConnectionPhase } from './connection-phase.ts'
import type { ConnectionPlaces } from './connection-places.ts'
import type { ServeContext } from './context.ts'
import { Exchange } from './exchange.ts'
import type { ExchangeClient } from './exchange-client.ts'
import { gateOf } from './gate.ts'
import { Http1Response } from './http1-response.ts'
import { LingeringClose } from './lingering-close.ts'
import { ownAnswer, ownFailure, ownHealth } from './own-answer.ts'
import { REQUESTS_AT_ONCE_MAX } from './limits.ts'
import type { Held, PauseQueue } from './pause-queue.ts'
import type { Upgraded } from './upgraded.ts'

/** For connections that will read no head any more. */
const NO_HEAD = createRequestHead()

export class ClientConnection implements TransportOwner, TimerOwner, Held, ExchangeClient {
  readonly peer: Peer
  head = createRequestHead()
  readonly socket: ClientSocket
  readonly response: Http1Response
  readonly framesByStream = false
  requestId = ''
  readonly #context: ServeContext
  readonly #places: ConnectionPlaces<ClientConnection>
  #exchange: Exchange | undefined
  #lingering: LingeringClose | undefined
  #phase: ConnectionPhase = 'idle'
  #queue: PauseQueue | undefined
  #upgraded: Upgraded | undefined
  #reading = false
  /** Requests wait that have come early, because others have their turn first. */
  #goesOnLater = false
  /** A request has been read: what comes now is another, whatever it looks like. */
  #used = false

  constructor(
    context: ServeContext,
    transport: Transport,
    peer: Peer,
    places: ConnectionPlaces<ClientConnection>,
  ) {
    this.#context = context
    this.socket = new ClientSocket(transport, context.wheel, this)
    this.response = new Http1Response(this.socket, context.readers.response)
    this.peer = peer
    this.#places = places
    this.#exchange = new Exchange(context, this)
    transport.owner = this
    this.socket.arm(context.limits.clientIdleMs)
  }

  /** The request is not the last one that we answer on this connection. */
  get mayContinue(): boolean {
    const more = !this.socket.halfClosed || this.socket.hasKept
    return this.head.keepAlive && more && !this.#context.stopping
  }

  /**
   * The proxy ends: what is busy closes after its answer. What is idle may be asked again at this very
   * moment, so it is told with that answer (RFC 9112 §9.6), and closed when no question comes.
   */
  retire(): void {
    if (this.#phase === 'idle') this.socket.arm(this.#context.limits.retiringIdleMs)
  }

  /** The proxy cannot wait any longer. True when a request was cut. */
  cut(): boolean {
    const busy = ['serving', 'upgraded', 'held'].includes(this.#phase)
    if (this.#phase === 'serving') this.#exchange?.cut()
    else if (this.#phase === 'upgraded') this.#upgraded?.cut()
    else if (this.#phase === 'held') this.#expire()
    else this.socket.destroy()
    return busy
  }

  destroy(): void {
    this.socket.destroy()
  }

  // What the client's socket says.

  onConnect(): void {
    // An accepted socket is connected before it has an owner.
  }

  onData(buffer: Buffer, length: number): void {
    switch (this.#phase) {
      case 'idle':
      case 'head':
        this.#readHeads(buffer, length)
        return
      case 'serving':
        this.#exchange?.onClientData(buffer, 0, length)
        return
      case 'upgraded':
        this.#upgraded?.onClientData(buffer, 0, length)
        return
      case 'held':
        this.socket.keep(buffer, 0, length)
        return
      case 'closing':
      case 'closed':
        return
    }
  }

  onDrain(): void {
    this.socket.congested = false
    if (this.#phase === 'closing') this.#lingering?.onDrain()
    else if (this.#phase === 'serving') this.#exchange?.onClientDrain()
    else if (this.#phase === 'upgraded') this.#upgraded?.onClientDrain()
    else if (this.#phase === 'idle') {
      this.socket.blockReading(false)
      this.#readKept()
    }
  }

  onEnd(): void {
    this.socket.halfClosed = true
    if (this.#phase === 'serving') this.#exchange?.onClientEnd()
    else if (this.#phase === 'upgraded') this.#upgraded?.onClientEnd()
    else if (this.#phase === 'head') this.#close()
    else if (this.#phase === 'idle' && !this.socket.hasKept) this.#close()
  }

  onClose(): void {
    const phase = this.#phase
    this.#phase = 'closed'
    this.socket.release()
    if (phase === 'serving') this.#exchange?.onClientClose()
    else if (phase === 'upgraded') this.#upgraded?.onClientClose()
    else if (phase === 'held') this.#queue?.leave(this)
    this.#places.onGone(this)
  }

  onDeadline(): void {
    switch (this.#phase) {
      case 'idle':
        this.#close()
        return
      case 'head':
        this.#refuse('request-timeout')
        return
      case 'held':
        this.#expire()
        return
      case 'serving':
        this.#exchange?.onDeadline()
        return
      case 'upgraded':
        this.#upgraded?.onDeadline()
        return
      case 'closing':
        this.#lingering?.onDeadline()
        return
      case 'closed':
        return
    }
  }

  // From bytes to a request, and from a request to whoever answers it.

  /** Reads one head from what was kept and this, and then as many more as can be answered at once. */
  #readHeads(buffer: Buffer, length: number): void {
    if (this.socket.hasKept || this.#goesOnLater) {
      this.socket.keep(buffer, 0, length)
      if (this.socket.congested || this.#goesOnLater) return
      const kept = this.socket.takeKept()
      this.#reading = true
      this.#readHead(kept, kept.length)
    } else {
      this.#reading = true
      this.#readHead(buffer, length)
    }
    this.#reading = false
    this.#readKept()
  }

  /** A loop rather than a recursion: a thousand requests may have come in one read. */
  #readKept(): void {
    if (this.#reading || this.#goesOnLater) return
    this.#reading = true
    let left = REQUESTS_AT_ONCE_MAX
    while (this.#phase === 'idle' && this.socket.hasKept && !this.socket.congested) {
      if (left === 0) {
        this.#goOnLater()
        break
      }
      left -= 1
      const kept = this.socket.borrowKept()
      this.#readHead(kept, kept.length)
      this.socket.returned()
    }
    this.#reading = false
    // A client that takes no answers gets to ask no more, until it has.
    if (this.#phase === 'idle') this.socket.blockReading(this.socket.congested)
  }

  #goOnLater(): void {
    this.#goesOnLater = true
    setImmediate(() => {
      this.#goesOnLater = false
      if (this.#phase === 'idle') this.#readKept()
    })
  }

  #readHead(buffer: Buffer, length: number): void {
    const text = headText(buffer, 0, length)
    const end = headEnd(text)
    if (end < 0) {
      this.#awaitHead(text, buffer, length)
      return
    }
    const { head, peer } = this
    const refusal = this.#context.readers.request(text, end, head)
    if (refusal !== 0) {
      if (!this.#becomesHttp2(text, buffer, length)) this.#refuse(failureOfRefusal(refusal))
      return
    }
    this.#used = true
    this.requestId = keptRequestId(head, peer) || this.#context.nextRequestId()
    this.#admit(buffer, end, length)
  }

  /** RFC 9113 §3.3: a client that knows that we speak it need not ask, but must begin with it. */
  #becomesHttp2(text: string, buffer: Buffer, length: number): boolean {
    if (!this.#context.http2 || this.#used || !text.startsWith(PREFACE_HEAD)) return false
    this.#phase = 'closed'
    this.socket.release()
    this.#places.onHttp2(this, Buffer.from(buffer.subarray(0, length)))
    return true
  }

  #awaitHead(text: string, buffer: Buffer, length: number): void {
    if (text.length === HEAD_BYTES_MAX) {
      this.#refuse(failureOfRefusal(refusalOfEndlessHead(text)))
    } else if (this.socket.halfClosed) this.#close()
    else {
      if (this.#phase === 'idle') this.socket.arm(this.#context.limits.headMs)
      this.#phase = 'head'
      this.socket.keep(buffer, 0, length)
    }
  }

  /** The request in `head` goes where the gate says; its body begins at `from`. */
  #admit(buffer: Buffer, from: number, to: number): void {
    const gate = gateOf(this.#context, this.head, this.peer)
    switch (gate.kind) {
      case 'forward':
        this.#phase = 'serving'
        this.socket.disarm()
        this.#exchange?.begin(gate.release(), buffer, from, to)
        return
      case 'hold':
        this.#hold(gate.queue, gate.holdMs, buffer, to)
        return
      case 'healthy':
        this.socket.keep(buffer, from, to)
        this.#answer(ownHealth(this.#context, this, this.#bodiless))
        return
      case 'own':
        this.socket.keep(buffer, from, to)
        this.#answer(ownAnswer(this.#context, this, gate.answer, this.#bodiless))
        return
      case 'no-host':
        this.#refuse('bad-request')
        return
      case 'stopped':
        this.socket.keep(buffer, from, to)
        this.#answerFailure(gate.kind, this.#bodiless, gate.message)
        return
      case 'no-active-release':
      case 'unknown-host':
      case 'misdirected':
        this.socket.keep(buffer, from, to)
        this.#answerFailure(gate.kind, this.#bodiless)
        return
    }
  }

  get #bodiless(): boolean {
    return !this.head.chunked && this.head.contentLength <= 0
  }

  /** The whole request is kept as it came, to be read again when the service goes on. */
  #hold(queue: PauseQueue, holdMs: number, buffer: Buffer, to: number): void {
    this.#phase = 'held'
    this.socket.keep(buffer, 0, to)
    if (queue.enter(this)) {
      this.#queue = queue
      this.socket.arm(holdMs)
    } else this.#answerFailure('pause-queue-full', false)
  }

  readmit(): void {
    this.#queue = undefined
    this.#phase = 'idle'
    this.#readKept()
  }

  #expire(): void {
    this.#queue?.leave(this)
    this.#queue = undefined
    this.#answerFailure('pause-expired', false)
  }

  // What the exchange says.

  onAnswered(keepAlive: boolean, whole: boolean): void {
    if (this.#phase === 'closed') return
    if (keepAlive) this.#rest()
    // RFC 9112 §9.6: a client that has said close sends no more, and needs no time to stop.
    else if (whole && !this.head.keepAlive && this.socket.flushed) this.#closeAtOnce()
    else this.#close()
  }

  onFailed(failure: Failure, whole: boolean): void {
    if (this.#phase !== 'closed') this.#answerFailure(failure, whole)
  }

  onTruncated(): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closing'
    this.socket.reset()
  }

  /** Everything that was for requests goes: an idle WebSocket is to cost little for hours. */
  onUpgraded(upgraded: Upgraded): void {
    if (this.#phase === 'closed') return
    this.#phase = 'upgraded'
    this.#upgraded = upgraded
    this.#exchange = undefined
    this.head = NO_HEAD
    this.requestId = ''
  }

  onTunnelEnded(): void {
    if (this.#phase !== 'closed') this.#close()
  }

  // Answers of our own.

  #refuse(failure: Failure): void {
    this.head.method = ''
    this.requestId = this.#context.nextRequestId()
    this.#answerFailure(failure, false)
  }

  #answerFailure(failure: Failure, whole: boolean, message?: string): void {
    this.#answer(ownFailure(this.#context, this, failure, whole, message))
  }

  #answer({ text, closes }: Answer): void {
    this.socket.write(text)
    if (this.#phase === 'closed') return
    if (closes) this.#close()
    else this.#rest()
  }

  // Between requests, and the end.

  #rest(): void {
    this.#phase = 'idle'
    if (this.socket.halfClosed && !this.socket.hasKept) {
      this.#close()
      return
    }
    const { clientIdleMs, retiringIdleMs } = this.#context.limits
    this.socket.arm(this.#context.stopping ? retiringIdleMs : clientIdleMs)
    this.#readKept()
  }

  #closeAtOnce(): void {
    this.#phase = 'closing'
    this.socket.destroy()
  }

  #close(): void {
    this.#phase = 'closing'
    this.#lingering = new LingeringClose(this.socket, this.#context.limits)
    this.#lingering.begin()
  }
}
