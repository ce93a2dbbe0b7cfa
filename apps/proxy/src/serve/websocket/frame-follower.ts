/**
 * Where the frames of one direction of a WebSocket begin and end (RFC 6455 §5.2), followed through the
 * reads they arrive in. Nothing is unmasked, kept or changed: between two frames is where a close may
 * be put in, and a frame's length says how far the next such place is.
 *
 * What the bits mean beyond that is for the two ends to judge. A length that nobody could mean only
 * makes a frame that does not end.
 */

const OPCODE = 0x0f
const CLOSE = 0x8
/** Opcodes from here on are control frames, which may come between the fragments of a message. */
const FIRST_CONTROL = 0x8
const MASKED = 0x80
const LENGTH = 0x7f
const LENGTH_IN_16_BITS = 126
const MASK_BYTES = 4

export class FrameFollower {
  /** Its sender has sent a whole Close frame, and nothing after it counts (RFC 6455 §5.5.1). */
  closed = false
  /** A message is larger than it may be: `follow` stopped before the frame that made it so. */
  tooLarge = false
  readonly #messageBytesMax: number
  /** What is to come of the frame whose length is known. */
  #left = 0
  /** Octets of a header that is not complete. */
  #headerBytes = 0
  #lengthBytesLeft = 0
  #length = 0
  #first = 0
  #mask = 0
  /** Payload of the data message under way, all its fragments together. */
  #messageBytes = 0

  /** `messageBytesMax`: as sent, so compressed if it is; Infinity for any. */
  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax
  }

  /** Everything that was followed is whole frames. */
  get atBoundary(): boolean {
    return this.#left === 0 && this.#headerBytes === 0
  }

  /** Follows the bytes from `from` to `to`. How far: less than `to` only when `tooLarge`. */
  follow(buffer: Buffer, from: number, to: number): number {
    let at = from
    while (at < to) {
      const end = this.followFrame(buffer, at, to)
      if (this.tooLarge) return end
      at = end
    }
    return at
  }

  /** Follows one frame, or what has come of it: the index after its last byte, or `to`. */
  followFrame(buffer: Buffer, from: number, to: number): number {
    if (this.#left > 0) return this.#skip(from, to)
    if (this.#headerBytes > 0 || to - from < 2) return this.#readHeader(buffer, from, to)
    const second = buffer[from + 1] ?? 0
    const length = second & LENGTH
    if (length >= LENGTH_IN_16_BITS) return this.#readHeader(buffer, from, to)
    this.#first = buffer[from] ?? 0
    return this.#begin(from, from + 2, length, second & MASKED, to)
  }

  /** The header byte by byte: for one that is long, or comes in parts. */
  #readHeader(buffer: Buffer, from: number, to: number): number {
    for (let at = from; at < to; at += 1) {
      const byte = buffer[at] ?? 0
      this.#headerBytes += 1
      if (this.#headerBytes === 1) this.#first = byte
      else if (this.#headerBytes === 2) {
        this.#mask = byte & MASKED
        this.#length = byte & LENGTH
        if (this.#length < LENGTH_IN_16_BITS) return this.#endHeader(from, at + 1, to)
        this.#lengthBytesLeft = this.#length === LENGTH_IN_16_BITS ? 2 : 8
        this.#length = 0
      } else {
        this.#length = this.#length * 256 + byte
        this.#lengthBytesLeft -= 1
        if (this.#lengthBytesLeft === 0) return this.#endHeader(from, at + 1, to)
      }
    }
    return to
  }

  #endHeader(from: number, at: number, to: number): number {
    const began = this.#headerBytes === at - from
    if (began) this.#headerBytes = 0
    const end = this.#begin(from, at, this.#length, this.#mask, to)
    // Of a frame that is refused, the part of the header that came before has been sent on already.
    if (!this.tooLarge) this.#headerBytes = 0
    return end
  }

  /** Its header began at `from`, or before, and its payload begins at `at`, with the mask if it has one. */
  #begin(from: number, at: number, length: number, mask: number, to: number): number {
    const opcode = this.#first & OPCODE
    if (opcode < FIRST_CONTROL) {
      this.#messageBytes = opcode === 0 ? this.#messageBytes + length : length
      if (this.#messageBytes > this.#messageBytesMax) {
        this.tooLarge = true
        return from
      }
    }
    this.#left = length + (mask === 0 ? 0 : MASK_BYTES)
    return this.#skip(at, to)
  }

  #skip(from: number, to: number): number {
    const taken = Math.min(this.#left, to - from)
    this.#left -= taken
    if (this.#left === 0 && (this.#first & OPCODE) === CLOSE) this.closed = true
    return from + taken
  }
}
