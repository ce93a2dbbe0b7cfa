/**
 * One stream as a way to the client and back: frames out, with both windows obeyed, and credit in, which
 * is given for what somebody has taken (RFC 9113 §5.2). What the windows have no room for is kept until
 * they do; that is never more than what one read of the target has brought, because then we stop reading.
 */
import type { ClientWay } from '../serve/client-way.ts'
import { Timer, type TimerOwner, type Wheel } from '../wheel.ts'
import { headersFrames, resetFrame, windowUpdateFrame } from './frames.ts'
import type { HpackEncoder } from './hpack/encoder.ts'
import type { Outbox } from './outbox.ts'
import { STREAM_WINDOW_BYTES, WINDOW_BYTES_MAX } from './protocol.ts'

/** Whose stream it is. */
export interface WayOwner extends TimerOwner {
  /** After a write returned false: everything has gone out. */
  onFlowing(): void
  /** The last frame of our direction has gone out after it had to wait. */
  onEnded(): void
}

/** The connection, as its streams see it. */
export interface StreamHome {
  readonly wheel: Wheel
  readonly outbox: Outbox
  readonly encoder: HpackEncoder
  /** The socket takes nothing for now. */
  readonly congested: boolean
  /** What the client takes on all streams together. */
  sendWindow: number
  /** The stream has something to send, and hears of it when it may. */
  awaitRoom(way: StreamWay): void
}

const NOTHING = Buffer.alloc(0)

export class StreamWay implements ClientWay {
  id = 0
  halfClosed = false
  congested = false
  /** Our direction has ended, or the stream was reset. */
  ended = false
  readonly #home: StreamHome
  readonly #owner: WayOwner
  readonly #timer: Timer
  #sendWindow = 0
  /** What waits for room, and whether our direction ends behind it, with these trailers. */
  #queue: Buffer[] = []
  #endsAfter = false
  #trailers = ''
  #kept: Buffer = NOTHING
  #blocked = false
  /** Octets that came and have not been credited: so much of the window is used up. */
  #uncredited = 0

  constructor(home: StreamHome, owner: WayOwner) {
    this.#home = home
    this.#owner = owner
    this.#timer = new Timer(owner)
  }

  begin(id: number, sendWindow: number): void {
    this.id = id
    this.halfClosed = false
    this.congested = false
    this.ended = false
    this.#sendWindow = sendWindow
    this.#queue = []
    this.#kept = NOTHING
    this.#endsAfter = false
    this.#trailers = ''
    this.#blocked = false
    this.#uncredited = 0
  }

  /** Nothing of this stream is of interest any more, in either direction. */
  release(): void {
    this.ended = true
    this.halfClosed = true
    this.#home.wheel.release(this.#timer)
    this.#queue = []
    this.#kept = NOTHING
  }

  // Our direction.

  writeHead(status: number, contentLength: number, fields: string, last: boolean): void {
    if (!this.ended) this.writeBlock(this.#home.encoder.head(status, contentLength, fields), last)
  }

  /** A head as a field block. */
  writeBlock(block: string, last: boolean): void {
    this.#home.outbox.write(headersFrames(this.id, block, last))
    if (last) this.ended = true
  }

  /** `fields` are lines, each with its CRLF. They end our direction, behind what is queued. */
  writeTrailers(fields: string): void {
    if (this.ended) return
    if (this.#queue.length === 0) this.#sendTrailers(fields)
    else {
      this.#endsAfter = true
      this.#trailers = fields
    }
  }

  /** False when some of it has to wait, or what comes next would. */
  writeData(buffer: Buffer, from: number, to: number, last: boolean): boolean {
    if (this.ended || this.#endsAfter) return true
    const mayPass = this.#queue.length === 0 && !this.#home.congested
    const sentTo = mayPass ? this.#send(buffer, from, to, last) : from
    if (sentTo < to || (last && !this.ended)) {
      if (sentTo < to) this.#queue.push(Buffer.from(buffer.subarray(sentTo, to)))
      this.#endsAfter = last
    }
    this.congested = !this.ended && (this.#queue.length > 0 || this.#home.congested)
    if (this.congested) this.#home.awaitRoom(this)
    return !this.congested
  }

  write(text: string): boolean {
    const bytes = Buffer.from(text, 'latin1')
    return this.writeData(bytes, 0, bytes.length, false)
  }

  forward(buffer: Buffer, from: number, to: number): boolean {
    return this.writeData(buffer, from, to, false)
  }

  end(): void {
    if (!this.ended && !this.#endsAfter) this.writeData(NOTHING, 0, 0, true)
  }

  reset(code: number): void {
    if (this.ended && this.halfClosed) return
    this.#home.outbox.write(resetFrame(this.id, code))
    this.release()
  }

  /** Sends what there is room for, `bytesMax` at most. True when more is left and there is room. */
  pump(bytesMax: number): boolean {
    let left = bytesMax
    while (!this.#home.congested && (this.#queue.length > 0 || this.#endsAfter) && left > 0) {
      const [next = NOTHING] = this.#queue
      const isLast = this.#endsAfter && this.#queue.length <= 1 && this.#trailers === ''
      const sentTo = this.#send(next, 0, Math.min(next.length, left), isLast && next.length <= left)
      left -= sentTo
      if (sentTo < next.length) {
        this.#queue[0] = next.subarray(sentTo)
        if (left > 0) return false
        continue
      }
      this.#queue.shift()
      if (this.#queue.length === 0 && this.#trailers !== '') this.#sendTrailers(this.#trailers)
      if (this.ended) break
    }
    if (this.#queue.length > 0 || this.#home.congested) return !this.#home.congested
    this.congested = false
    if (this.ended) this.#owner.onEnded()
    else this.#owner.onFlowing()
    return false
  }

  /** The client takes more on this stream, or less by another setting. False: more than there is. */
  addRoom(bytes: number): boolean {
    this.#sendWindow += bytes
    return this.#sendWindow <= WINDOW_BYTES_MAX
  }

  // The client's direction.

  /** Counts a frame. False when it is more than the client was allowed. */
  receive(bytes: number): boolean {
    this.#uncredited += bytes
    return this.#uncredited <= STREAM_WINDOW_BYTES
  }

  /** Gives credit for what came and nobody has kept. */
  credit(): void {
    const isTaken = !this.#blocked && this.#kept.length === 0
    if (!isTaken || this.halfClosed || this.#uncredited < STREAM_WINDOW_BYTES / 2) return
    this.#home.outbox.write(windowUpdateFrame(this.id, this.#uncredited))
    this.#uncredited = 0
  }

  /** No more of it comes than the window lets in. */
  keep(buffer: Buffer, from: number, to: number): void {
    if (from >= to) return
    const bytes = buffer.subarray(from, to)
    this.#kept = this.#kept.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#kept, bytes])
  }

  takeKept(): Buffer {
    const kept = this.#kept
    this.#kept = NOTHING
    this.credit()
    return kept
  }

  blockReading(blocked: boolean): void {
    this.#blocked = blocked
    this.credit()
  }

  // The one deadline that runs at a time.

  arm(afterMs: number): void {
    this.#home.wheel.arm(this.#timer, afterMs)
  }

  disarm(): void {
    this.#home.wheel.disarm(this.#timer)
  }

  /** The index behind what there was room for. */
  #send(buffer: Buffer, from: number, to: number, last: boolean): number {
    const home = this.#home
    const room = Math.max(0, Math.min(this.#sendWindow, home.sendWindow))
    const end = Math.min(to, from + room)
    const isWhole = end === to
    if (end === from && !(isWhole && last)) return from
    this.#sendWindow -= end - from
    home.sendWindow -= end - from
    if (isWhole && last) this.ended = true
    home.outbox.writeData(this.id, buffer, from, end, isWhole && last)
    return end
  }

  #sendTrailers(fields: string): void {
    this.ended = true
    const block = this.#home.encoder.trailers(fields)
    this.#home.outbox.write(headersFrames(this.id, block, true))
  }
}
