/**
 * The streams of a connection (RFC 9113 §5.1): those that are open, with the requests on them, and of those
 * that are not as much as it takes to tell an error from what was on its way.
 */
import type { Peer } from '../http/forward-head.ts'
import type { ServeContext } from '../serve/context.ts'
import type { Control } from './control.ts'
import { resetFrame } from './frames.ts'
import { SMALL_GLITCH, WASTED_REQUEST } from './glitches.ts'
import {
  FLOW_CONTROL_ERROR,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  STREAMS_MAX,
  STREAM_CLOSED,
  STREAM_ID_MAX,
  WINDOW_BYTES_DEFAULT,
} from './protocol.ts'
import type { RequestFields } from './request-fields.ts'
import { ResetStreams } from './reset-streams.ts'
import type { Sending } from './sending.ts'
import { Stream, type StreamConnection } from './stream.ts'

/** Streams without a request that are kept for the next ones. */
const SPARE_STREAMS_MAX = 16
const NOTHING = Buffer.alloc(0)

export class Streams implements StreamConnection {
  readonly peer: Peer
  readonly sending: Sending
  readonly #context: ServeContext
  readonly #control: Control
  readonly #open = new Map<number, Stream>()
  readonly #spare: Stream[] = []
  readonly #resets = new ResetStreams()
  /** The newest that was taken on or refused. */
  #lastId = 0
  /** What a new one may send. */
  #windowBytes = WINDOW_BYTES_DEFAULT
  #lastTaken = STREAM_ID_MAX

  constructor(context: ServeContext, control: Control, sending: Sending, peer: Peer) {
    this.#context = context
    this.#control = control
    this.sending = sending
    this.peer = peer
  }

  get size(): number {
    return this.#open.size
  }

  get lastId(): number {
    return this.#lastId
  }

  /** Takes on none that is newer than those that have come. */
  refuseNewer(): void {
    this.#lastTaken = Math.min(this.#lastTaken, this.#lastId)
  }

  /** A whole field block: a request, or the trailers of one (RFC 9113 §8.1). */
  onFields(id: number, fields: RequestFields, ends: boolean): void {
    const stream = this.#open.get(id)
    if (stream !== undefined) this.#onTrailers(stream, fields, ends)
    else if (id > this.#lastId) this.#onRequest(id, fields, ends)
    else if (this.#resets.has(id)) this.#control.glitch(SMALL_GLITCH)
    else this.#control.leave(STREAM_CLOSED, 'HEADERS on a closed stream')
  }

  /** A DATA frame of that many octets begins. */
  onDataBegins(id: number, length: number): void {
    const stream = this.#open.get(id)
    if (stream === undefined) {
      if (this.#resets.has(id)) return
      const isIdle = id === 0 || id % 2 === 0 || id > this.#lastId
      this.#control.leave(
        isIdle ? PROTOCOL_ERROR : STREAM_CLOSED,
        'DATA on a stream that is not open',
      )
    } else if (stream.socket.halfClosed) this.#fail(stream, STREAM_CLOSED)
    else if (!stream.socket.receive(length)) this.#fail(stream, FLOW_CONTROL_ERROR)
  }

  onData(id: number, buffer: Buffer, from: number, to: number, last: boolean): void {
    const stream = this.#open.get(id)
    if (stream === undefined) return
    if (from === to && !last) this.#control.glitch(SMALL_GLITCH)
    if (!stream.onData(buffer, from, to, last)) this.#fail(stream, PROTOCOL_ERROR)
  }

  /** RST_STREAM. */
  onReset(id: number): void {
    const stream = this.#open.get(id)
    if (id === 0 || id > this.#lastId) {
      this.#control.leave(PROTOCOL_ERROR, 'RST_STREAM on a stream that is idle')
    } else if (stream === undefined) this.#control.spend()
    else {
      stream.abandon()
      this.onStreamOver(stream, false)
      this.#control.glitch(WASTED_REQUEST)
    }
  }

  /** WINDOW_UPDATE. */
  onRoom(id: number, increment: number): void {
    const stream = this.#open.get(id)
    if (stream === undefined) {
      if (id <= this.#lastId && id % 2 === 1) return
      this.#control.leave(PROTOCOL_ERROR, 'WINDOW_UPDATE on a stream that is idle')
    } else if (increment === 0) this.#fail(stream, PROTOCOL_ERROR)
    else if (stream.socket.addRoom(increment)) this.sending.pump()
    else this.#fail(stream, FLOW_CONTROL_ERROR)
  }

  /**
   * RFC 9113 §6.9.2: what a new stream may send counts for those that are open too, whose window may be
   * less than nothing then. False when one of them could send more than there is.
   */
  resize(windowBytes: number): boolean {
    const more = windowBytes - this.#windowBytes
    this.#windowBytes = windowBytes
    for (const { socket } of this.#open.values()) if (!socket.addRoom(more)) return false
    if (more > 0) this.sending.pump()
    return true
  }

  /** Ends the stream with that error (RFC 9113 §5.4.2), if it is open. */
  fail(id: number, code: number): void {
    const stream = this.#open.get(id)
    if (stream !== undefined) this.#fail(stream, code)
  }

  /** The drain is over. True when a request was cut. */
  cut(): boolean {
    let isBusy = false
    for (const stream of this.#open.values()) {
      isBusy ||= stream.busy
      stream.cut()
    }
    return isBusy
  }

  /** Gives back the memory of streams that have no request. */
  forgetSpare(): void {
    this.#spare.length = 0
  }

  /** The connection is gone. */
  abandonAll(): void {
    for (const stream of this.#open.values()) stream.abandon()
    this.#open.clear()
  }

  onStreamOver(stream: Stream, wasReset: boolean): void {
    this.#open.delete(stream.id)
    this.sending.forget(stream.socket)
    if (wasReset) this.#resets.add(stream.id)
    if (!stream.usedUp && this.#spare.length < SPARE_STREAMS_MAX) this.#spare.push(stream)
    if (this.#open.size === 0) this.#control.onNoStreams()
  }

  #onRequest(id: number, fields: RequestFields, ends: boolean): void {
    this.#lastId = id
    if (this.#open.size >= STREAMS_MAX || id > this.#lastTaken) {
      this.#waste(id, REFUSED_STREAM)
      return
    }
    const request = fields.text(ends)
    if (request.kind === 'malformed') {
      this.#waste(id, PROTOCOL_ERROR)
      return
    }
    const stream = this.#spare.pop() ?? new Stream(this.#context, this)
    this.#open.set(id, stream)
    stream.socket.begin(id, this.#windowBytes)
    stream.socket.halfClosed = ends
    switch (request.kind) {
      case 'head':
        if (!stream.begin(request.text)) this.#fail(stream, PROTOCOL_ERROR)
        return
      case 'too-large':
        stream.refuse('head-too-large')
        return
      case 'unknown-protocol':
        stream.refuse('not-implemented')
        return
    }
  }

  /** They end the request, and go no further: targets might take them for its head (chunked.ts). */
  #onTrailers(stream: Stream, fields: RequestFields, ends: boolean): void {
    if (stream.socket.halfClosed) this.#fail(stream, STREAM_CLOSED)
    else if (!ends || !fields.areTrailers) this.#fail(stream, PROTOCOL_ERROR)
    else if (!stream.onData(NOTHING, 0, 0, true)) this.#fail(stream, PROTOCOL_ERROR)
  }

  #fail(stream: Stream, code: number): void {
    stream.reset(code)
    this.#control.glitch(WASTED_REQUEST)
  }

  /** Of a stream that is never to be open. */
  #waste(id: number, code: number): void {
    this.sending.outbox.write(resetFrame(id, code))
    this.#resets.add(id)
    this.#control.glitch(WASTED_REQUEST)
  }
}
