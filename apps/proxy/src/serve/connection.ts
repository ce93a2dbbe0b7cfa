/**
 * A client's connection. It asks the gate what becomes of each request that is read on it, and is
 * handed from stage to stage: from the reading of heads to an exchange and back, until it ends.
 */
import type { Answer } from '../http/answer.ts'
import type { Failure } from '../http/failure.ts'
import { keptRequestId, type Peer } from '../http/forward-head.ts'
import type { RequestHead } from '../http/request.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'
import type { TimerOwner } from '../wheel.ts'
import { ClientSocket } from './client-socket.ts'
import type { Exchange } from './exchange.ts'
import { gateOf } from './gate.ts'
import { HeldRequest, type HeldClient } from './held-request.ts'
import { LingeringClose } from './lingering-close.ts'
import { ownFailure, ownHealth } from './own-answer.ts'
import type { PauseQueue } from './pause-queue.ts'
import { RequestReading, type ReadingParts, type RequestClient } from './request-reading.ts'
import { GONE, type Stage } from './stage.ts'
import type { Upgraded } from './upgraded.ts'

/** What the connections of a proxy share. */
export interface ConnectionHome extends ReadingParts {
  /** It is closed. */
  onGone(connection: ClientConnection): void
}

export class ClientConnection implements TransportOwner, TimerOwner, RequestClient, HeldClient {
  readonly peer: Peer
  readonly socket: ClientSocket
  readonly #home: ConnectionHome
  readonly #reading: RequestReading
  #stage: Stage
  /** That of the request which is not answered yet. */
  #exchange: Exchange | undefined

  constructor(home: ConnectionHome, transport: Transport, peer: Peer) {
    this.peer = peer
    this.socket = new ClientSocket(transport, home.context.wheel, this)
    this.#home = home
    this.#reading = new RequestReading(home, this)
    this.#stage = this.#reading
    transport.owner = this
    this.#reading.rest()
  }

  get mayContinue(): boolean {
    const more = !this.socket.halfClosed || this.socket.hasKept
    return more && !this.#home.context.stopping
  }

  /** The proxy ends: what is busy closes after its answer, and what is idle soon. */
  retire(): void {
    this.#reading.retire()
  }

  /** The proxy cannot wait any longer. True when a request was cut. */
  cut(): boolean {
    const { busy } = this.#stage
    this.#stage.cut()
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
    this.#stage.onClientData(buffer, length)
  }

  onDrain(): void {
    this.socket.congested = false
    this.#stage.onClientDrain()
  }

  onEnd(): void {
    this.socket.halfClosed = true
    this.#stage.onClientEnd()
  }

  onClose(): void {
    const stage = this.#stage
    this.#stage = GONE
    this.socket.release()
    stage.onClientClose()
    this.#become(GONE)
    this.#home.onGone(this)
  }

  onDeadline(): void {
    this.#stage.onDeadline()
  }

  // What the reading says.

  onRequest(exchange: Exchange, buffer: Buffer, from: number, to: number): void {
    const { context } = this.#home
    const { head } = exchange
    this.#exchange = exchange
    exchange.requestId = keptRequestId(head, this.peer) || context.nextRequestId()
    const gate = gateOf(context.hosts, head)
    switch (gate.kind) {
      case 'forward':
        this.#stage = exchange
        this.socket.disarm()
        exchange.begin(gate.release(), buffer, from, to)
        return
      case 'hold':
        this.#hold(gate.queue, gate.holdMs, buffer, to)
        return
      case 'healthy':
        this.socket.keep(buffer, from, to)
        this.#answer(ownHealth(context, exchange, this.#mayFollow(head, isBodiless(head))))
        return
      case 'no-host':
        this.#answerFailure('bad-request', false)
        return
      case 'stopped':
        this.socket.keep(buffer, from, to)
        this.#answerFailure(gate.kind, isBodiless(head), gate.message)
        return
      case 'no-active-release':
      case 'unknown-host':
        this.socket.keep(buffer, from, to)
        this.#answerFailure(gate.kind, isBodiless(head))
        return
    }
  }

  onRefused(failure: Failure, head: RequestHead): void {
    const { context } = this.#home
    this.#answer(ownFailure(context, { head, requestId: context.nextRequestId() }, failure, false))
  }

  onNoRequest(): void {
    this.#close()
  }

  /** The whole request is kept as it came, to be read again when the service goes on. */
  #hold(queue: PauseQueue, holdMs: number, buffer: Buffer, to: number): void {
    this.socket.keep(buffer, 0, to)
    const held = new HeldRequest(this, queue)
    if (queue.enter(held)) {
      this.#stage = held
      this.socket.arm(holdMs)
    } else this.#answerFailure('pause-queue-full', false)
  }

  onReadmitted(): void {
    this.#become(this.#reading)
    this.#reading.readAgain()
  }

  onHeldTooLong(): void {
    this.#answerFailure('pause-expired', false)
  }

  // What the exchange says.

  onAnswered(keepAlive: boolean, whole: boolean): void {
    if (this.#stage === GONE) return
    const saidClose = this.#exchange?.head.keepAlive === false
    if (keepAlive) this.#rest()
    // RFC 9112 §9.6: a client that has said close sends no more, and needs no time to stop.
    else if (whole && saidClose && this.socket.flushed) {
      this.#become(GONE)
      this.socket.destroy()
    } else this.#close()
  }

  onFailed(failure: Failure, whole: boolean): void {
    if (this.#stage !== GONE) this.#answerFailure(failure, whole)
  }

  onTruncated(): void {
    if (this.#stage === GONE) return
    this.#become(GONE)
    this.socket.reset()
  }

  onUpgraded(upgraded: Upgraded): void {
    if (this.#stage !== GONE) this.#become(upgraded)
  }

  onTunnelEnded(): void {
    if (this.#stage !== GONE) this.#close()
  }

  // Answers of our own.

  /** To the request of the exchange. `whole`: it has been read to its end. */
  #answerFailure(failure: Failure, whole: boolean, message?: string): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    const mayFollow = this.#mayFollow(exchange.head, whole)
    this.#answer(ownFailure(this.#home.context, exchange, failure, mayFollow, message))
  }

  #mayFollow(head: RequestHead, whole: boolean): boolean {
    return whole && head.keepAlive && this.mayContinue
  }

  #answer({ text, closes }: Answer): void {
    this.socket.write(text)
    if (this.#stage === GONE) return
    if (closes) this.#close()
    else this.#rest()
  }

  // From one stage to the next.

  #rest(): void {
    this.#become(this.#reading)
    this.#reading.rest()
  }

  #close(): void {
    const closing = new LingeringClose(this.socket, this.#home.context.limits)
    this.#become(closing)
    closing.begin()
  }

  /** An exchange that was under way is over, and may serve another client. */
  #become(stage: Stage): void {
    this.#stage = stage
    const exchange = this.#exchange
    if (exchange === undefined) return
    this.#exchange = undefined
    this.#home.exchanges.give(exchange)
  }
}

const isBodiless = (head: RequestHead): boolean => !head.chunked && head.contentLength <= 0
