/**
 * Follows the framing of a chunked body (RFC 9112 §7.1) through the reads it arrives in. Bytes are
 * not copied and not rewritten: the grammar is held so strictly that what passes is already in its
 * one normal form. Refused are chunk extensions, which nobody uses and few parsers read alike,
 * sizes that are not plain hexadecimal digits, and every line end but CRLF.
 *
 * The trailer section alone is held back, bounded, until all of it is there, because it is a second
 * header section in disguise: it is dropped, or its harmless fields are kept for a receiver that said
 * it wants them (RFC 9110 §6.5.1 allows both). For requests it is always dropped: a target that
 * merges trailers into its header fields would take a client's word for anything.
 */
import { createFieldLine, isSectionEnd, readFieldLine } from './field-line.ts'
import { ruleOfTrailer } from './field-rules.ts'
import { headEnd } from './head-end.ts'
import { CHUNK_SIZE_DIGITS_MAX, FIELDS_MAX, TRAILER_BYTES_MAX } from './limits.ts'
import { CR, CRLF, LF } from './syntax.ts'

/** Receives the runs of data without their framing. The buffer is only valid during the call. */
export type DataSink = (buffer: Buffer, from: number, to: number) => void

/** What `scan` returns for bytes that are not a chunked body: kill both connections. */
export const MALFORMED = -1

/** What stands before a chunk of so many octets; CRLF stands behind it. */
export const chunkHead = (length: number): string => length.toString(16) + CRLF

/** It ends a body without trailers. */
export const LAST_CHUNK = '0\r\n\r\n'

export class ChunkedFraming {
  /** The last byte of the body has been seen. */
  done = false
  /** After a scan: the bytes of that read before this index are to be forwarded as they came. */
  forwardTo = 0
  /** Once done: text to send after them, '' unless the body had trailers. With a sink: their lines alone. */
  tail = ''
  /** Octets of data so far, without framing: what a limit on bodies counts. */
  dataBytes = 0

  #state: State = 'size'
  #digits = 0
  /** Octets of the current chunk that are still to come. */
  #left = 0
  #trailers = ''
  readonly #keepsTrailers: boolean
  readonly #sink: DataSink | undefined

  /**
   * `keepsTrailers`: the receiver said TE: trailers. `sink` gets the data alone, for a receiver that
   * frames it in another way (HTTP/2) or not at all (HTTP/1.0); then nothing else is to be forwarded.
   */
  constructor(keepsTrailers: boolean, sink?: DataSink) {
    this.#keepsTrailers = keepsTrailers
    this.#sink = sink
  }

  /**
   * Follows the bytes of one read. The index just past the last byte that belongs to the body, which
   * is `to` until it is done; or MALFORMED, after which the framing is of no more use.
   */
  scan(buffer: Buffer, from: number, to: number): number {
    this.forwardTo = from
    let at = from
    while (at < to && !this.done) {
      switch (this.#state) {
        case 'data':
          at = this.#passData(buffer, at, to)
          break
        case 'after-last':
          if (buffer[at] === CR) {
            this.#state = 'final-lf'
            at += 1
          } else {
            this.#state = 'trailers'
            this.forwardTo = at
          }
          break
        case 'trailers':
          at = this.#gatherTrailers(buffer, at, to)
          if (at === MALFORMED) return MALFORMED
          break
        case 'size':
        case 'size-lf':
        case 'data-cr':
        case 'data-lf':
        case 'final-lf':
          if (!this.#step(this.#state, buffer[at] ?? 0)) return MALFORMED
          at += 1
          break
      }
    }
    if (this.#sink !== undefined) this.forwardTo = from
    else if (this.#state !== 'trailers') this.forwardTo = at
    return at
  }

  #passData(buffer: Buffer, at: number, to: number): number {
    const end = Math.min(to, at + this.#left)
    if (this.#sink !== undefined) this.#sink(buffer, at, end)
    this.dataBytes += end - at
    this.#left -= end - at
    if (this.#left === 0) this.#state = 'data-cr'
    return end
  }

  /** One byte of framing. False when it may not stand there. */
  #step(state: FramingState, byte: number): boolean {
    switch (state) {
      case 'size': {
        const digit = hexDigitOf(byte)
        if (digit < 0) {
          this.#state = 'size-lf'
          return byte === CR && this.#digits > 0
        }
        this.#left = this.#left * 16 + digit
        this.#digits += 1
        return this.#digits <= CHUNK_SIZE_DIGITS_MAX
      }
      case 'size-lf':
        this.#state = this.#left === 0 ? 'after-last' : 'data'
        this.#digits = 0
        return byte === LF
      case 'data-cr':
        this.#state = 'data-lf'
        return byte === CR
      case 'data-lf':
        this.#state = 'size'
        return byte === LF
      case 'final-lf':
        this.done = true
        return byte === LF
    }
  }

  #gatherTrailers(buffer: Buffer, at: number, to: number): number {
    const before = this.#trailers.length
    const room = TRAILER_BYTES_MAX - before
    this.#trailers += buffer.toString('latin1', at, Math.min(to, at + room))
    const end = headEnd(this.#trailers)
    if (end < 0) return this.#trailers.length < TRAILER_BYTES_MAX ? to : MALFORMED
    const kept = keptTrailers(this.#trailers, end)
    if (kept === undefined) return MALFORMED
    this.done = true
    this.tail = (this.#keepsTrailers ? kept : '') + (this.#sink === undefined ? CRLF : '')
    return at + end - before
  }
}

type FramingState = 'size' | 'size-lf' | 'data-cr' | 'data-lf' | 'final-lf'
type State = FramingState | 'data' | 'after-last' | 'trailers'

const hexDigitOf = (byte: number): number => {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

const line = createFieldLine()

/** The lines of a trailer section that may be forwarded; undefined when one is malformed or forbidden. */
const keptTrailers = (section: string, end: number): string | undefined => {
  const last = end - CRLF.length
  let kept = ''
  let at = 0
  for (let count = 0; at < last; count += 1) {
    if (count === FIELDS_MAX || !readFieldLine(section, at, line)) return undefined
    const rule = ruleOfTrailer(section.slice(at, line.nameTo).toLowerCase())
    if (rule === 'refuse') return undefined
    if (rule === 'keep') kept += section.slice(at, line.next)
    at = line.next
  }
  return isSectionEnd(section, at, end) ? kept : undefined
}
