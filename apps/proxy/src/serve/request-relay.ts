/**
 * The way of one request to its target: the head with what of the body came along, in one write, and
 * then the rest of the body as it arrives. It follows the framing, so it takes no byte too many. A body
 * that comes without one, because its client ends it otherwise, gets one: chunks.
 */
import { LAST_CHUNK, MALFORMED, chunkHead } from '../http/chunked.ts'
import type { RequestHead } from '../http/request.ts'
import { CRLF } from '../http/syntax.ts'
import type { Limits } from '@gatehouse/domain'
import type { Transport } from '../transport/transport.ts'
import { Body } from './body.ts'
import { Pace, type PaceLimits } from './pace.ts'

/** Instead of an index: the body is larger than the service accepts. */
export const TOO_LARGE = -2

export class RequestRelay {
  /** The target wants no more of the body: it is read, so that the client gets on, and dropped. */
  dropping = false
  /** The last write said that the target is congested. */
  congested = false
  #bytesMax = Number.POSITIVE_INFINITY
  /** The body ends with its stream, and its target gets it in chunks. */
  #isBare = false
  readonly #body = new Body()
  readonly #pace: Pace
  readonly #comesBare: boolean

  /** `comesBare`: bodies of unknown length come as they are, and not in chunks. */
  constructor(limits: PaceLimits, comesBare: boolean) {
    this.#pace = new Pace(limits)
    this.#comesBare = comesBare
  }

  /** The last byte of the request has been read. */
  get whole(): boolean {
    return this.#body.done
  }

  get hasBody(): boolean {
    return this.#body.framing !== 'none'
  }

  /** Its client sends its body slower than it must. */
  get tooSlow(): boolean {
    return !this.whole && this.#pace.tooSlow(performance.now())
  }

  /** Nothing of the body has come. */
  get untouched(): boolean {
    return this.#body.bytes === 0
  }

  begin(head: RequestHead, bytesMax: Limits['requestBytesMax']): void {
    this.dropping = false
    this.congested = false
    this.#pace.begin()
    this.#bytesMax = bytesMax === 'unlimited' ? Number.POSITIVE_INFINITY : bytesMax
    // Trailers of requests are never forwarded: a target might take them for header fields.
    this.#isBare = this.#comesBare && head.chunked
    if (this.#isBare) this.#body.begin('until-close', 0, false)
    else if (head.chunked) this.#body.begin('chunked', 0, false)
    else if (head.contentLength > 0) this.#body.begin('length', head.contentLength, false)
    else this.#body.begin('none', 0, false)
  }

  /**
   * Follows the body through one read. The index just past the bytes that belong to it, or MALFORMED
   * or TOO_LARGE, after which nothing may be sent. `last`: the client has ended.
   */
  follow(buffer: Buffer, from: number, to: number, last: boolean): number {
    this.#body.tail = ''
    const end = this.#body.take(buffer, from, to)
    if (this.#isBare && last) this.#body.end()
    if (to > from && !this.whole) this.#pace.took(to - from, performance.now())
    return end !== MALFORMED && this.#body.bytes > this.#bytesMax ? TOO_LARGE : end
  }

  /** Sends the head, and the bytes at `from` that were followed last. */
  start(target: Transport, head: string, buffer: Buffer, from: number): void {
    const { forwardTo, tail } = this.#body
    if (this.#isBare) this.congested = !this.#sendChunk(target, head, buffer, from)
    else
      this.congested =
        forwardTo === from
          ? !target.write(head + tail)
          : !target.send(head, buffer, from, forwardTo, tail)
    if (this.congested) this.#pace.halt(performance.now())
  }

  /** Sends the bytes at `from` that were followed last. */
  proceed(target: Transport, buffer: Buffer, from: number): void {
    if (this.dropping) return
    const { forwardTo, tail } = this.#body
    if (this.#isBare) this.congested = !this.#sendChunk(target, '', buffer, from)
    else if (tail !== '') this.congested = !target.send('', buffer, from, forwardTo, tail)
    else if (forwardTo > from) this.congested = !target.forward(buffer, from, forwardTo)
    if (this.congested) this.#pace.halt(performance.now())
  }

  /** RFC 9112 §7.1: what came in one read is one chunk. */
  #sendChunk(target: Transport, head: string, buffer: Buffer, from: number): boolean {
    const { forwardTo, done } = this.#body
    const last = done ? LAST_CHUNK : ''
    if (forwardTo > from) {
      const opened = head + chunkHead(forwardTo - from)
      return target.send(opened, buffer, from, forwardTo, CRLF + last)
    }
    return head + last === '' || target.write(head + last)
  }

  /** The target takes more. */
  flow(): void {
    this.congested = false
    this.#pace.goOn(performance.now())
  }
}
