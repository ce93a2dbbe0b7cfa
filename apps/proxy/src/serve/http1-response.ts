/**
 * A response as HTTP/1 writes it: heads as lines, bodies as they came, with their framing followed. What
 * arrives in one read leaves in one write.
 */
import { MALFORMED } from '../http/chunked.ts'
import { forwardedResponseHead } from '../http/forward-head.ts'
import type { HeadReaders } from '../http/head-readers.ts'
import { bodyOf, type ResponseHead } from '../http/response-head.ts'
import type { ClientSocket } from './client-socket.ts'
import { ResponseRelay, type ResponseRequest, type ResponseStep } from './response-relay.ts'

export class Http1Response extends ResponseRelay {
  readonly #client: ClientSocket

  constructor(client: ClientSocket, read: HeadReaders['response']) {
    super(read)
    this.#client = client
  }

  protected override writeInterim(interim: ResponseHead): boolean {
    return this.#client.write(forwardedResponseHead(interim, 1, true))
  }

  protected override writeFinal(
    request: ResponseRequest,
    text: string,
    headTo: number,
    buffer: Buffer,
    from: number,
    to: number,
    mayKeepClient: boolean,
  ): ResponseStep {
    const { head } = this
    const framing = bodyOf(head, request.method)
    const unframed =
      framing === 'until-close' || (framing === 'chunked' && request.minorVersion === 0)
    this.status = head.status
    this.keepsClient = mayKeepClient && !unframed
    this.keepsTarget = head.keepAlive && framing !== 'until-close'
    const written = forwardedResponseHead(head, request.minorVersion, this.keepsClient)
    if (framing === 'chunked' && request.minorVersion === 0) {
      this.body.begin(framing, 0, false, (bytes, start, end) => {
        this.congested = !this.#client.forward(bytes, start, end)
      })
      this.begun = true
      this.congested = !this.#client.write(written)
      return this.relay(buffer, from, to)
    }
    this.body.begin(framing, head.contentLength, request.acceptsTrailers)
    const end = this.body.take(buffer, from, to)
    if (end === MALFORMED) return 'malformed'
    this.begun = true
    const { forwardTo, tail } = this.body
    if (headTo + to - from <= text.length) {
      // The text that the head was read from has all that was read of the body too.
      const content = forwardTo === from ? '' : text.slice(headTo, headTo + forwardTo - from)
      this.congested = !this.#client.write(written + content + tail)
    } else this.congested = !this.#client.send(written, buffer, from, forwardTo, tail)
    return this.settle(end, to)
  }

  protected override relay(buffer: Buffer, from: number, to: number): ResponseStep {
    const body = this.body
    const end = body.take(buffer, from, to)
    if (end === MALFORMED) return 'malformed'
    const { forwardTo, tail } = body
    if (tail !== '') this.congested = !this.#client.send('', buffer, from, forwardTo, tail)
    else if (forwardTo > from) this.congested = !this.#client.forward(buffer, from, forwardTo)
    return this.settle(end, to)
  }
}
