/**
 * A response as HTTP/2 writes it: heads as field blocks, bodies without the framing that they came in, and
 * the end of both in the last frame.
 */
import { MALFORMED } from '../http/chunked.ts'
import { withoutFields } from '../http/connection-options.ts'
import type { HeadReaders } from '../http/head-readers.ts'
import { NO_LENGTH } from '../http/framing.ts'
import { bodyOf, type ResponseHead } from '../http/response-head.ts'
import { ResponseRelay, type ResponseRequest, type ResponseStep } from '../serve/response-relay.ts'
import type { StreamWay } from './stream-way.ts'

export class Http2Response extends ResponseRelay {
  readonly #way: StreamWay
  /** Content of the read that is being relayed, which goes out once it is known what follows it. */
  #runFrom = 0
  #runTo = 0

  constructor(way: StreamWay, read: HeadReaders['response']) {
    super(read)
    this.#way = way
  }

  protected override writeInterim({ status, fields }: ResponseHead): boolean {
    // RFC 8441 §5: the stream is open with a 200, and needs no proof of it.
    if (status === 101) this.#way.writeHead(200, NO_LENGTH, withoutFields(fields, PROOFS), false)
    else this.#way.writeHead(status, NO_LENGTH, fields, false)
    return true
  }

  protected override writeFinal(
    request: ResponseRequest,
    _text: string,
    _headTo: number,
    buffer: Buffer,
    from: number,
    to: number,
  ): ResponseStep {
    const { head } = this
    const framing = bodyOf(head, request.method)
    this.status = head.status
    this.keepsClient = true
    this.keepsTarget = head.keepAlive && framing !== 'until-close'
    this.begun = true
    this.body.begin(framing, head.contentLength, request.acceptsTrailers, this.#sink)
    this.#way.writeHead(head.status, head.contentLength, head.fields, this.body.done)
    return this.body.done ? this.settle(from, to) : this.relay(buffer, from, to)
  }

  protected override relay(buffer: Buffer, from: number, to: number): ResponseStep {
    const { body } = this
    this.#runFrom = from
    this.#runTo = from
    const end = body.take(buffer, from, to)
    if (end === MALFORMED) return 'malformed'
    if (body.framing !== 'chunked') this.#runTo = body.forwardTo
    const hasTrailers = body.done && body.tail !== ''
    const ends = body.done && !hasTrailers
    if (this.#runTo > this.#runFrom || ends) this.#writeRun(buffer, ends)
    if (hasTrailers) this.#way.writeTrailers(body.tail)
    return this.settle(end, to)
  }

  readonly #sink = (buffer: Buffer, from: number, to: number): void => {
    if (this.#runTo > this.#runFrom) this.#writeRun(buffer, false)
    this.#runFrom = from
    this.#runTo = to
  }

  #writeRun(buffer: Buffer, last: boolean): void {
    this.congested = !this.#way.writeData(buffer, this.#runFrom, this.#runTo, last)
  }
}

const PROOFS: readonly string[] = ['sec-websocket-accept']
