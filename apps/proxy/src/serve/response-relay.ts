/**
 * The way of one response to its client: heads are read and decided about here, the same for every
 * client; how they and the body are written is for the protocol that the client speaks.
 */
import { addOwnField } from '../http/forward-head.ts'
import { headEnd, headText } from '../http/head-end.ts'
import { HEAD_BYTES_MAX } from '../http/limits.ts'
import type { HeadReaders } from '../http/head-readers.ts'
import { createResponseHead, type ResponseHead } from '../http/response-head.ts'
import { Body } from './body.ts'
import { INTERIM_RESPONSES_MAX } from './limits.ts'
import { WEBSOCKET, answersHandshake } from './websocket/handshake.ts'

export interface ResponseRequest {
  readonly method: string
  readonly minorVersion: 0 | 1
  readonly acceptsTrailers: boolean
  /** The protocol that the client asked for; '' for none. */
  readonly upgrade: string
  readonly fields: string
}

export type ResponseStep =
  /** It goes on, after the next read. */
  | 'more'
  /** Its last byte has been written. */
  | 'complete'
  /** 101 has been written: `early`, and all further bytes, belong to the new protocol. */
  | 'upgraded'
  | 'malformed'
  /** Somebody stopped us while we wrote: there is nobody to write to any more. */
  | 'stopped'

const NOTHING = Buffer.alloc(0)
const head = createResponseHead()

export abstract class ResponseRelay {
  /** Of the final head; 0 before it has come. */
  status = 0
  /** The final head has been written, so the client can be told nothing else any more. */
  begun = false
  /** Not even an interim response, or a part of a head, has come. */
  silent = true
  /** A 1xx has come: the client may have been told to go on. */
  continued = false
  /** What the head told the client about its connection, and the target told us about its own. */
  keepsClient = false
  keepsTarget = false
  /** The last write said that the client is congested. */
  congested = false
  /** What came in one read with the switch to another protocol. */
  early: Buffer = NOTHING
  /** For whom; undefined before it begins, and as soon as nobody waits for it any more. */
  protected request: ResponseRequest | undefined
  protected readonly body = new Body()
  /** As read last, by whichever relay: for the write that follows at once. */
  protected readonly head = head
  readonly #read: HeadReaders['response']
  #ownFields = ''
  #partialHead: Buffer | undefined
  #interim = 0

  constructor(read: HeadReaders['response']) {
    this.#read = read
  }

  get endsWithClose(): boolean {
    return this.begun && this.body.framing === 'until-close'
  }

  /** `ownFields`: lines that the proxy adds to the final head. */
  begin(request: ResponseRequest, ownFields: string): void {
    this.request = request
    this.#ownFields = ownFields
    this.status = 0
    this.begun = false
    this.silent = true
    this.continued = false
    this.keepsClient = false
    this.keepsTarget = false
    this.congested = false
    this.#partialHead = undefined
    this.#interim = 0
  }

  stop(): void {
    this.request = undefined
    this.#partialHead = undefined
    this.early = NOTHING
  }

  /** Takes one read. `mayKeepClient`: the client's connection can go on after this response. */
  take(buffer: Buffer, length: number, mayKeepClient: boolean): ResponseStep {
    const request = this.request
    if (request === undefined) return 'stopped'
    this.silent = false
    if (this.begun) return this.relay(buffer, 0, length)
    if (this.#partialHead === undefined) {
      return this.#readHeads(request, buffer, length, mayKeepClient)
    }
    const joined = Buffer.concat([this.#partialHead, buffer.subarray(0, length)])
    this.#partialHead = undefined
    return this.#readHeads(request, joined, joined.length, mayKeepClient)
  }

  /** Interim responses (RFC 9110 §15.2), if any, and then the final one. */
  #readHeads(
    request: ResponseRequest,
    buffer: Buffer,
    length: number,
    mayKeepClient: boolean,
  ): ResponseStep {
    let from = 0
    while (from < length) {
      const text = headText(buffer, from, length)
      const end = headEnd(text)
      if (end < 0) {
        if (text.length === HEAD_BYTES_MAX) return 'malformed'
        this.#partialHead = Buffer.from(buffer.subarray(from, length))
        return 'more'
      }
      if (this.#read(text, end, head) !== 0) return 'malformed'
      if (head.status >= 200) {
        if (this.#ownFields !== '') addOwnField(head, this.#ownFields)
        return this.writeFinal(request, text, end, buffer, from + end, length, mayKeepClient)
      }
      from += end
      this.continued = true
      if (head.status === 101) return this.#writeSwitch(request, buffer, from, length)
      this.#interim += 1
      if (this.#interim > INTERIM_RESPONSES_MAX) return 'malformed'
      // RFC 9110 §15.2: a client of HTTP/1.0 does not know them.
      if (request.minorVersion === 1) this.writeInterim(head)
      if (this.request === undefined) return 'stopped'
    }
    return 'more'
  }

  /** RFC 9110 §7.8: only to a protocol that was asked for. */
  #writeSwitch(request: ResponseRequest, buffer: Buffer, from: number, to: number): ResponseStep {
    const { upgrade, fields } = request
    if (upgrade === '' || head.upgrade.toLowerCase() !== upgrade) return 'malformed'
    if (upgrade === WEBSOCKET && !answersHandshake(fields, head.fields)) return 'malformed'
    this.begun = true
    this.status = head.status
    if (from < to) this.early = Buffer.from(buffer.subarray(from, to))
    this.congested = !this.writeInterim(head)
    return this.request === undefined ? 'stopped' : 'upgraded'
  }

  /** A 1xx, the switch among them. False when the client is congested. */
  protected abstract writeInterim(interim: ResponseHead): boolean

  /**
   * The final head, with what of its body has come along: `from` to `to` of the buffer. `text` begins with
   * the head that ends at `headTo`, and may go on with some of the body.
   */
  protected abstract writeFinal(
    request: ResponseRequest,
    text: string,
    headTo: number,
    buffer: Buffer,
    from: number,
    to: number,
    mayKeepClient: boolean,
  ): ResponseStep

  /** More of the body. */
  protected abstract relay(buffer: Buffer, from: number, to: number): ResponseStep

  /** After a write: `end` is the index just past the body's last byte in a read that ends at `to`. */
  protected settle(end: number, to: number): ResponseStep {
    if (this.request === undefined) return 'stopped'
    // RFC 9112 §9.2: bytes after a response answer nothing; its connection is not used again.
    if (end < to) this.keepsTarget = false
    return this.body.done ? 'complete' : 'more'
  }
}
