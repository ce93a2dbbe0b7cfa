/**
 * The streams of one connection to a target, each with the lane whose request is on it, and what their
 * frames say to them.
 */
import type { FrameStreams } from '../../http2/frames-in.ts'
import { FLOW_CONTROL_ERROR, PROTOCOL_ERROR, WINDOW_BYTES_DEFAULT } from '../../http2/protocol.ts'
import type { Sending } from '../../http2/sending.ts'
import type { StreamWay } from '../../http2/stream-way.ts'
import type { Http2Lane } from './lane.ts'
import type { ResponseFields } from './response-fields.ts'

export interface StreamsOwner {
  /** Ends the connection (RFC 9113 §5.4.1). */
  leave(code: number, about: string): void
  /** SETTINGS have come: so many streams may be open. */
  onStreamsMax(streamsMax: number): void
}

const MALFORMED = 'its answer is malformed'

export class Http2Streams implements FrameStreams<ResponseFields> {
  /** What a new one may send. */
  windowBytes = WINDOW_BYTES_DEFAULT
  readonly #owner: StreamsOwner
  readonly #sending: Sending
  readonly #open = new Map<number, Http2Lane>()
  #nextId = 1

  constructor(owner: StreamsOwner, sending: Sending) {
    this.#owner = owner
    this.#sending = sending
  }

  get size(): number {
    return this.#open.size
  }

  /** The id of a new one. */
  open(lane: Http2Lane): number {
    const id = this.#nextId
    this.#nextId += 2
    this.#open.set(id, lane)
    return id
  }

  close(id: number, way: StreamWay): void {
    this.#open.delete(id)
    this.#sending.forget(way)
  }

  /** GOAWAY: the target has not looked at those that are newer. */
  failNewer(lastId: number): void {
    for (const [id, lane] of this.#open) {
      if (id > lastId) lane.fail(new Error('the target went before it took the request on'))
    }
  }

  onFields(id: number, fields: ResponseFields, ends: boolean): void {
    const lane = this.#laneOf(id)
    if (lane?.onFields(fields, ends) === false) lane.break(PROTOCOL_ERROR, MALFORMED)
  }

  onDataBegins(id: number, length: number): void {
    const lane = this.#laneOf(id)
    if (lane?.receive(length) === false) lane.break(FLOW_CONTROL_ERROR, 'it sends more than it may')
  }

  onData(id: number, buffer: Buffer, from: number, to: number, last: boolean): void {
    const lane = this.#open.get(id)
    if (lane?.onContent(buffer, from, to, last) === false) lane.break(PROTOCOL_ERROR, MALFORMED)
  }

  onReset(id: number, code: number): void {
    this.#laneOf(id)?.onReset(code)
  }

  onRoom(id: number, increment: number): void {
    const lane = this.#laneOf(id)
    if (lane === undefined) return
    if (increment === 0) lane.break(PROTOCOL_ERROR, 'it gives room for nothing')
    else if (lane.addRoom(increment)) this.#sending.pump()
    else lane.break(FLOW_CONTROL_ERROR, 'it gives more room than there is')
  }

  /** RFC 9113 §6.9.2: what a new stream may send counts for those that are open too. */
  resize(windowBytes: number, streamsMax: number): boolean {
    const more = windowBytes - this.windowBytes
    this.windowBytes = windowBytes
    this.#owner.onStreamsMax(streamsMax)
    for (const lane of this.#open.values()) if (!lane.addRoom(more)) return false
    if (more > 0) this.#sending.pump()
    return true
  }

  fail(id: number, code: number): void {
    this.#open.get(id)?.break(code, MALFORMED)
  }

  /** Undefined for one that is over, of which something may still have been under way. */
  #laneOf(id: number): Http2Lane | undefined {
    const lane = this.#open.get(id)
    if (lane === undefined && (id % 2 === 0 || id >= this.#nextId)) {
      this.#owner.leave(PROTOCOL_ERROR, 'a frame of a stream that was never opened')
    }
    return lane
  }
}
