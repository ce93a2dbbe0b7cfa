/**
 * Where the body of one message ends, followed through the reads it arrives in. One of these per
 * direction lives as long as its client's connection and is begun anew for each message.
 */
import { ChunkedFraming, MALFORMED, type DataSink } from '../http/chunked.ts'
import type { BodyFraming } from '../http/response-head.ts'

export class Body {
  framing: BodyFraming = 'none'
  /** The last byte has been seen. For `until-close`, which its sender ends, somebody has to say so. */
  done = true
  /** After `take`: the bytes before this index are to be forwarded as they came. */
  forwardTo = 0
  /** After `take`, once done: text to send after them; '' for most bodies. */
  tail = ''
  /** Octets of content so far. */
  bytes = 0
  #left = 0
  #chunked: ChunkedFraming | undefined

  /**
   * `length` counts for the framing `length` only, the others for `chunked`: whether the receiver
   * wants trailers, and a sink that takes the content without its chunks.
   */
  begin(framing: BodyFraming, length: number, keepsTrailers: boolean, sink?: DataSink): void {
    this.framing = framing
    this.done = framing === 'none'
    this.forwardTo = 0
    this.tail = ''
    this.bytes = 0
    this.#left = framing === 'length' ? length : 0
    this.#chunked = framing === 'chunked' ? new ChunkedFraming(keepsTrailers, sink) : undefined
  }

  /** For `until-close`: its sender has ended. */
  end(): void {
    this.done = true
  }

  /** The index just past the last byte that belongs to the body, or MALFORMED. */
  take(buffer: Buffer, from: number, to: number): number {
    if (this.done) {
      this.forwardTo = from
      return from
    }
    if (this.#chunked !== undefined) return this.#takeChunks(this.#chunked, buffer, from, to)
    const available = to - from
    const taken = this.framing === 'length' ? Math.min(available, this.#left) : available
    if (this.framing === 'length') {
      this.#left -= taken
      this.done = this.#left === 0
    }
    this.bytes += taken
    this.forwardTo = from + taken
    return this.forwardTo
  }

  #takeChunks(chunked: ChunkedFraming, buffer: Buffer, from: number, to: number): number {
    const end = chunked.scan(buffer, from, to)
    if (end === MALFORMED) return MALFORMED
    this.forwardTo = chunked.forwardTo
    this.bytes = chunked.dataBytes
    if (chunked.done) {
      this.done = true
      this.tail = chunked.tail
      this.#chunked = undefined
    }
    return end
  }
}
