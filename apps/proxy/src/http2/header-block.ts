/** A field block that comes in several frames (RFC 9113 §4.3): put together, within bounds. */
import { BLOCK_BYTES_MAX, CONTINUATIONS_MAX } from './protocol.ts'

const NOTHING = Buffer.alloc(0)

export class HeaderBlock {
  /** The stream that a next frame must belong to; 0 when none must follow. */
  id = 0
  /** Of the HEADERS frame that it began with. */
  endsStream = false
  bytes: Buffer = NOTHING
  #continuations = 0

  get open(): boolean {
    return this.id !== 0
  }

  begin(id: number, endsStream: boolean, buffer: Buffer, from: number, to: number): void {
    this.id = id
    this.endsStream = endsStream
    this.bytes = Buffer.from(buffer.subarray(from, to))
    this.#continuations = 0
  }

  /** False when it gets too long, or comes in too many pieces. */
  add(buffer: Buffer, from: number, to: number): boolean {
    this.#continuations += 1
    const length = this.bytes.length + to - from
    if (this.#continuations > CONTINUATIONS_MAX || length > BLOCK_BYTES_MAX) return false
    this.bytes = Buffer.concat([this.bytes, buffer.subarray(from, to)], length)
    return true
  }

  /** Its bytes are all there, and handed over. */
  end(): Buffer {
    const { bytes } = this
    this.id = 0
    this.bytes = NOTHING
    return bytes
  }
}
