/**
 * Frames out of reads (RFC 9113 §4.1). What may be long passes as it comes: the content of DATA. All
 * others are held back until they are there, and none is longer than FRAME_BYTES_MAX.
 */
import { DATA, END_STREAM, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, PADDED } from './protocol.ts'

/** Whom the frames go to. Buffers are lent, as those of a transport. */
export interface FrameHandler {
  /** False stops the reader for good, wherever it is. */
  readonly reading: boolean
  /** A whole frame of any type but DATA; its payload is `from` to `to`. */
  onFrame(type: number, flags: number, id: number, buffer: Buffer, from: number, to: number): void
  /** A DATA frame begins; `length` is what it takes of the windows, padding included. */
  onDataBegins(id: number, length: number): void
  /** Content of that frame, perhaps none. `last`: the stream ends with it. */
  onData(id: number, buffer: Buffer, from: number, to: number, last: boolean): void
  /** A frame that is larger than we have allowed. */
  onOversized(): void
  /** Padding that is longer than its frame. */
  onBadPadding(): void
}

const NOTHING = Buffer.alloc(0)

export class FrameReader {
  readonly #handler: FrameHandler
  /** The beginning of a frame whose rest has not come. */
  #partial: Buffer = NOTHING
  /** Of the DATA frame that is being read. */
  #dataId = 0
  #dataEnds = false
  #contentLeft = 0
  #paddingLeft = 0

  constructor(handler: FrameHandler) {
    this.#handler = handler
  }

  /** A frame has begun that is to be there soon: one that is no DATA. */
  get waits(): boolean {
    return this.#partial.length > 0
  }

  read(buffer: Buffer, from: number, to: number): void {
    if (this.#partial.length === 0) {
      this.#readFrames(buffer, from, to)
      return
    }
    const joined = Buffer.concat([this.#partial, buffer.subarray(from, to)])
    this.#partial = NOTHING
    this.#readFrames(joined, 0, joined.length)
  }

  #readFrames(buffer: Buffer, from: number, to: number): void {
    let at = from
    while (at < to && this.#handler.reading) {
      if (this.#contentLeft > 0) at = this.#passContent(buffer, at, to)
      else if (this.#paddingLeft > 0) {
        const skipped = Math.min(this.#paddingLeft, to - at)
        this.#paddingLeft -= skipped
        at += skipped
      } else {
        const next = this.#readFrame(buffer, at, to)
        if (next < 0) {
          this.#partial = Buffer.from(buffer.subarray(at, to))
          return
        }
        at = next
      }
    }
  }

  /** The index behind what was understood; -1 when more has to come first. */
  #readFrame(buffer: Buffer, at: number, to: number): number {
    if (to - at < FRAME_HEADER_BYTES) return INCOMPLETE
    const length = buffer.readUIntBE(at, 3)
    const type = buffer[at + 3] ?? 0
    const flags = buffer[at + 4] ?? 0
    const id = buffer.readUInt32BE(at + 5) & 0x7f_ff_ff_ff
    const payload = at + FRAME_HEADER_BYTES
    if (length > FRAME_BYTES_MAX) {
      this.#handler.onOversized()
      return to
    }
    if (type === DATA) return this.#beginData(buffer, payload, to, length, flags, id)
    if (to - payload < length) return INCOMPLETE
    this.#handler.onFrame(type, flags, id, buffer, payload, payload + length)
    return payload + length
  }

  #beginData(
    buffer: Buffer,
    payload: number,
    to: number,
    length: number,
    flags: number,
    id: number,
  ): number {
    const isPadded = (flags & PADDED) !== 0
    if (isPadded && length > 0 && payload === to) return INCOMPLETE
    const padding = isPadded ? (buffer[payload] ?? 0) : 0
    const content = length - padding - (isPadded ? 1 : 0)
    if (content < 0) {
      this.#handler.onBadPadding()
      return to
    }
    this.#dataId = id
    this.#dataEnds = (flags & END_STREAM) !== 0
    this.#paddingLeft = padding
    this.#contentLeft = content
    const from = isPadded ? payload + 1 : payload
    this.#handler.onDataBegins(id, length)
    if (content === 0 && this.#handler.reading) {
      this.#handler.onData(id, buffer, from, from, this.#dataEnds)
    }
    return from
  }

  #passContent(buffer: Buffer, at: number, to: number): number {
    const end = Math.min(to, at + this.#contentLeft)
    this.#contentLeft -= end - at
    const isLast = this.#dataEnds && this.#contentLeft === 0
    this.#handler.onData(this.#dataId, buffer, at, end, isLast)
    return end
  }
}

const INCOMPLETE = -1
