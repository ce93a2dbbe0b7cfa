/**
 * One request on one stream, as a connection of HTTP/1 has one at a time: it asks the gate, has an exchange,
 * answers for itself where there is none, and ends its stream in the way that says what has happened. A
 * connection uses its streams again and again.
 */
import { failureOfRefusal, type Failure } from '../http/failure.ts'
import { keptRequestId, type Peer } from '../http/forward-head.ts'
import { headEnd } from '../http/head-end.ts'
import { createRequestHead } from '../http/request.ts'
import { createResponseHead } from '../http/response-head.ts'
import type { Answer } from '../http/answer.ts'
import type { ServeContext } from '../serve/context.ts'
import { Exchange } from '../serve/exchange.ts'
import type { ExchangeClient } from '../serve/exchange-client.ts'
import { gateOf } from '../serve/gate.ts'
import { ownAnswer, ownFailure, ownHealth } from '../serve/own-answer.ts'
import type { Held, PauseQueue } from '../serve/pause-queue.ts'
import type { Upgraded } from '../serve/upgraded.ts'
import { Http2Response } from './http2-response.ts'
import { CANCEL, INTERNAL_ERROR, NO_ERROR } from './protocol.ts'
import { StreamWay, type StreamHome, type WayOwner } from './stream-way.ts'

type Phase =
  /** It has no request. */
  | 'idle'
  /** The request waits because its service is paused. */
  | 'held'
  | 'serving'
  | 'upgraded'
  /** The answer is complete, and some of it has not gone out. */
  | 'ending'

/** What a stream tells its connection. */
export interface StreamConnection {
  readonly peer: Peer
  readonly sending: StreamHome
  /** It is over, from both sides; `wasReset`: the client may not know that yet. */
  onStreamOver(stream: Stream, wasReset: boolean): void
}

const ANY_LENGTH = -1

export class Stream implements ExchangeClient, WayOwner, Held {
  readonly socket: StreamWay
  readonly response: Http2Response
  readonly peer: Peer
  readonly head = createRequestHead()
  requestId = ''
  readonly framesByStream = true
  /** The connection goes on whatever becomes of a stream. */
  readonly mayContinue = true
  /** It was upgraded once, and its exchange is gone with that. */
  usedUp = false
  readonly #context: ServeContext
  readonly #connection: StreamConnection
  readonly #exchange: Exchange
  #phase: Phase = 'idle'
  #queue: PauseQueue | undefined
  #upgraded: Upgraded | undefined
  /** Octets of content that are still to come, or ANY_LENGTH. */
  #contentLeft = ANY_LENGTH

  constructor(context: ServeContext, connection: StreamConnection) {
    this.#context = context
    this.#connection = connection
    this.peer = connection.peer
    this.socket = new StreamWay(connection.sending, this)
    this.response = new Http2Response(this.socket, context.readers.response)
    this.#exchange = new Exchange(context, this)
  }

  get id(): number {
    return this.socket.id
  }

  /** There is work in flight that would be cut. */
  get busy(): boolean {
    return this.#phase === 'serving' || this.#phase === 'upgraded' || this.#phase === 'held'
  }

  /** Takes on the request whose head HTTP/1.1 would have sent as `text`. False when it is malformed. */
  begin(text: string): boolean {
    const { head, peer } = this
    const refusal = this.#context.readers.request(text, text.length, head)
    if (refusal !== 0) {
      this.refuse(failureOfRefusal(refusal))
      return true
    }
    this.#contentLeft = head.contentLength
    if (this.socket.halfClosed && this.#contentLeft > 0) return false
    this.requestId = keptRequestId(head, peer) || this.#context.nextRequestId()
    this.#admit()
    return true
  }

  /** Answers a request whose head is not to be read. */
  refuse(failure: Failure): void {
    this.head.method = ''
    this.head.accept = ''
    this.requestId = this.#context.nextRequestId()
    this.#answerFailure(failure)
  }

  // What the client sends.

  /** Content. False when it is more, or at its end less, than the head has said (RFC 9113 §8.1.1). */
  onData(buffer: Buffer, from: number, to: number, last: boolean): boolean {
    if (this.#contentLeft !== ANY_LENGTH) {
      this.#contentLeft -= to - from
      if (this.#contentLeft < 0 || (last && this.#contentLeft > 0)) return false
    }
    if (last) this.socket.halfClosed = true
    switch (this.#phase) {
      case 'held':
        this.socket.keep(buffer, from, to)
        break
      case 'serving':
        this.#exchange.onClientData(buffer, from, to)
        break
      case 'upgraded':
        if (to > from) this.#upgraded?.onClientData(buffer, from, to)
        if (last) this.#upgraded?.onClientEnd()
        break
      case 'idle':
      case 'ending':
        break
    }
    this.socket.credit()
    return true
  }

  /** The client has reset it, or the whole connection is gone. */
  abandon(): void {
    const phase = this.#phase
    this.#phase = 'idle'
    if (phase === 'serving') this.#exchange.onClientClose()
    else if (phase === 'upgraded') this.#upgraded?.onClientClose()
    else if (phase === 'held') this.#queue?.leave(this)
    this.#forget()
  }

  /** Ends it with an error, whatever it does. */
  reset(code: number): void {
    this.socket.reset(code)
    this.abandon()
    this.#connection.onStreamOver(this, true)
  }

  /** The proxy cannot wait any longer. */
  cut(): void {
    if (this.#phase === 'serving') this.#exchange.cut()
    else if (this.#phase === 'upgraded') this.#upgraded?.cut()
    else if (this.#phase === 'held') this.#expire()
  }

  onFlowing(): void {
    if (this.#phase === 'serving') this.#exchange.onClientDrain()
    else if (this.#phase === 'upgraded') this.#upgraded?.onClientDrain()
  }

  onEnded(): void {
    if (this.#phase === 'ending') this.#end()
  }

  onDeadline(): void {
    if (this.#phase === 'serving') this.#exchange.onDeadline()
    else if (this.#phase === 'upgraded') this.#upgraded?.onDeadline()
    else if (this.#phase === 'held') this.#expire()
    else if (this.#phase === 'ending') this.#onStalled()
  }

  // From a head to whoever answers it.

  #admit(): void {
    const gate = gateOf(this.#context, this.head, this.peer)
    switch (gate.kind) {
      case 'forward': {
        this.#phase = 'serving'
        const kept = this.socket.takeKept()
        this.#exchange.begin(gate.release(), kept, 0, kept.length)
        return
      }
      case 'hold':
        this.#hold(gate.queue, gate.holdMs)
        return
      case 'healthy':
        this.#answer(ownHealth(this.#context, this, true))
        return
      case 'own':
        this.#answer(ownAnswer(this.#context, this, gate.answer, true))
        return
      case 'no-host':
        this.#answerFailure('bad-request')
        return
      case 'stopped':
        this.#answerFailure(gate.kind, gate.message)
        return
      case 'no-active-release':
      case 'unknown-host':
      case 'misdirected':
        this.#answerFailure(gate.kind)
        return
    }
  }

  #hold(queue: PauseQueue, holdMs: number): void {
    this.#phase = 'held'
    if (queue.enter(this)) {
      this.#queue = queue
      this.socket.arm(holdMs)
    } else this.#answerFailure('pause-queue-full')
  }

  readmit(): void {
    this.#queue = undefined
    this.socket.disarm()
    this.#admit()
  }

  #expire(): void {
    this.#queue?.leave(this)
    this.#queue = undefined
    this.#answerFailure('pause-expired')
  }

  // What the exchange says.

  onAnswered(): void {
    this.#endAfterAnswer()
  }

  onFailed(failure: Failure): void {
    if (this.#phase !== 'idle') this.#answerFailure(failure)
  }

  onTruncated(): void {
    if (this.#phase !== 'idle') this.reset(this.#phase === 'upgraded' ? CANCEL : INTERNAL_ERROR)
  }

  onUpgraded(upgraded: Upgraded): void {
    if (this.#phase === 'idle') return
    this.#phase = 'upgraded'
    this.usedUp = true
    this.#upgraded = upgraded
  }

  onTunnelEnded(): void {
    this.#endAfterAnswer()
  }

  // Answers of our own.

  #answerFailure(failure: Failure, message?: string): void {
    this.#answer(ownFailure(this.#context, this, failure, true, message))
  }

  #answer({ text }: Answer): void {
    const end = headEnd(text)
    if (this.#context.readers.response(text, end, ownHead) !== 0) {
      throw new Error('an answer of our own is malformed')
    }
    const content = Buffer.from(text.slice(end), 'latin1')
    const isLast = content.length === 0
    this.socket.writeHead(ownHead.status, ownHead.contentLength, ownHead.fields, isLast)
    if (!isLast) this.socket.writeData(content, 0, content.length, true)
    this.#endAfterAnswer()
  }

  // The end.

  #endAfterAnswer(): void {
    this.#phase = 'ending'
    this.socket.end()
    if (this.socket.ended) this.#end()
    else this.socket.arm(this.#context.limits.stalledClientMs)
  }

  /** RFC 9113 §8.1: a client that is not done with its request need not go on. */
  #end(): void {
    const wasReset = !this.socket.halfClosed
    if (wasReset) this.socket.reset(NO_ERROR)
    this.#phase = 'idle'
    this.#forget()
    this.#connection.onStreamOver(this, wasReset)
  }

  /** The client takes nothing of the rest. */
  #onStalled(): void {
    this.#context.counters.truncated += 1
    this.reset(CANCEL)
  }

  #forget(): void {
    this.#queue = undefined
    this.#upgraded = undefined
    this.socket.release()
  }
}

const ownHead = createResponseHead()
