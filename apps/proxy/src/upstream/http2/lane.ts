/**
 * One place on a connection of HTTP/2 that is shared: it carries one request at a time, each on a
 * stream of its own. To everybody above it is a socket of HTTP/1.1, which takes a request as text and
 * bytes and gives its answer back so; pools, limits, repeats and all rules are the same for it.
 *
 * The bytes with which an answer ends are held back until the stream has ended: then nothing of it is
 * left when the next request comes, and what was broken off is never taken for complete.
 */
import { constants, type ClientHttp2Stream } from 'node:http2'
import { PassThrough, addAbortSignal } from 'node:stream'
import { ChunkedFraming } from '../../http/chunked.ts'
import { CRLF } from '../../http/syntax.ts'
import type { Transport, TransportOwner } from '../../transport/transport.ts'
import { readRequest } from './request-text.ts'
import { responseText, trailerText, type TextFraming } from './response-text.ts'

/** The connection, as a lane sees it. */
export interface LaneHome {
  readonly scheme: 'http' | 'https'
  /** It was open before this lane came; or it takes no further requests. */
  readonly used: boolean
  readonly ending: boolean
  /** Opens a stream. Throws when it is gone. `ended`: the request has no body. */
  request(fields: readonly string[], ended: boolean): ClientHttp2Stream
  /** The lane is over. `unanswered`: while its target owed it an answer and had sent nothing of it. */
  leave(lane: Http2Lane, unanswered: boolean): void
}

export class Http2Lane implements Transport {
  owner: TransportOwner
  readonly remoteAddress = ''
  #home: LaneHome | undefined
  #used = false
  #over = false
  #paused = false
  /** While its answer came. */
  #wasPaused = false
  #stream: ClientHttp2Stream | undefined
  // The request that is on its way.
  #left = 0
  #chunks: ChunkedFraming | undefined
  #pieces: Buffer[] = []
  // Its answer.
  #method = ''
  #answered = false
  #framing: TextFraming = 'none'
  #expected = 0
  #received = 0
  #held: Buffer = NOTHING
  #trailers: readonly string[] = []
  #error: Error | undefined

  constructor(owner: TransportOwner) {
    this.owner = owner
  }

  get sharing(): NonNullable<Transport['sharing']> {
    if (this.#home?.ending === true) return 'ending'
    return this.#used ? 'used' : 'fresh'
  }

  get queued(): boolean {
    return (this.#stream?.writableLength ?? 0) > 0
  }

  // What its connection says.

  /** It is to be on that connection. */
  enter(home: LaneHome): void {
    this.#home = home
  }

  /** The connection is there. */
  ready(): void {
    if (this.#over) return
    this.#used = this.#home?.used === true
    this.owner.onConnect()
  }

  /** No request is on it. */
  get idle(): boolean {
    return this.#stream === undefined
  }

  /** The connection is gone, or was never there. */
  fail(error: Error | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#stream = undefined
    this.#home?.leave(this, false)
    this.owner.onClose(error)
  }

  // What its owner says.

  write(text: string): boolean {
    if (this.#over) return false
    return this.#stream === undefined ? this.#begin(text) : this.#sendText(text)
  }

  forward(buffer: Buffer, from: number, to: number): boolean {
    if (this.#over || this.#stream === undefined) return false
    return this.#sendBody(this.#stream, buffer, from, to)
  }

  send(head: string, buffer: Buffer, from: number, to: number, tail: string): boolean {
    let flows = head === '' || this.write(head)
    flows = this.forward(buffer, from, to) && flows
    return tail === '' ? flows : this.write(tail) && flows
  }

  pause(): void {
    this.#paused = true
    this.#wasPaused = true
    this.#stream?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#stream?.resume()
  }

  /** A stream has no half that could be closed before its request is whole. */
  end(): void {
    this.destroy()
  }

  destroy(): void {
    if (this.#over) return
    this.#over = true
    const stream = this.#stream
    this.#stream = undefined
    this.#home?.leave(this, stream !== undefined && !this.#answered)
    // To close it would first end it in order, and half a request would be taken for a whole one.
    stream?.destroy(CANCELLED)
    process.nextTick(() => this.owner.onClose())
  }

  reset(): void {
    this.destroy()
  }

  // The request.

  #begin(text: string): boolean {
    const home = this.#home
    if (home === undefined) return false
    const { method, contentLength, chunked, fields, bodyFrom } = readRequest(text, home.scheme)
    this.#method = method
    this.#left = Math.max(contentLength, 0)
    this.#chunks = chunked ? new ChunkedFraming(false, this.#gather) : undefined
    this.#answered = false
    this.#wasPaused = this.#paused
    this.#error = undefined
    this.#used = true
    try {
      this.#stream = home.request(fields, !chunked && this.#left === 0)
    } catch (error) {
      // The connection has ended in this very moment, and says so to nobody who is idle.
      const reason = error instanceof Error ? error : new Error(String(error))
      process.nextTick(() => this.fail(reason))
      return false
    }
    this.#listen(this.#stream)
    return bodyFrom === text.length || this.#sendText(text.slice(bodyFrom))
  }

  #sendText(text: string): boolean {
    const stream = this.#stream
    if (stream === undefined) return false
    const bytes = Buffer.from(text, 'latin1')
    return this.#sendBody(stream, bytes, 0, bytes.length)
  }

  /** Lent bytes are copied: a stream keeps them until its target takes them. */
  #sendBody(stream: ClientHttp2Stream, buffer: Buffer, from: number, to: number): boolean {
    let done: boolean
    if (this.#chunks === undefined) {
      this.#gather(buffer, from, to)
      this.#left -= to - from
      done = this.#left === 0
    } else {
      this.#chunks.scan(buffer, from, to)
      done = this.#chunks.done
    }
    const pieces = this.#pieces.splice(0)
    if (pieces.length > 0) stream.write(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces))
    if (!done) return !stream.writableNeedDrain
    stream.end()
    return true
  }

  readonly #gather = (buffer: Buffer, from: number, to: number): void => {
    if (to > from) this.#pieces.push(Buffer.from(buffer.subarray(from, to)))
  }

  // The answer.

  #listen(stream: ClientHttp2Stream): void {
    if (this.#paused) stream.pause()
    stream.on('headers', (_headers, _flags, fields) => {
      if (this.#stream === stream) this.#onHead(fields, false)
    })
    stream.on('response', (_headers, flags, fields) => {
      const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
      if (this.#stream === stream) this.#onHead(fields, ended)
    })
    stream.on('data', (bytes: Buffer) => {
      if (this.#stream === stream) this.#onBody(bytes)
    })
    stream.on('trailers', (_headers, _flags, fields) => {
      if (this.#stream === stream) this.#trailers = fields
    })
    stream.on('end', () => {
      // Node ends what can be read of a stream that was reset too. One that has been paused may have
      // been closed in order before its end is read, and only then this cannot be told apart.
      const wasReset = stream.rstCode !== constants.NGHTTP2_NO_ERROR
      if (wasReset || (stream.closed && !this.#wasPaused)) return
      if (this.#stream === stream) this.#onEnd(stream)
    })
    stream.on('drain', () => {
      if (this.#stream === stream) this.owner.onDrain()
    })
    stream.on('error', (error) => {
      if (this.#stream === stream) this.#error ??= error
    })
    stream.on('close', () => {
      if (this.#stream === stream) this.fail(this.#error ?? brokenOff(stream.rstCode))
    })
  }

  #onHead(fields: readonly string[], ended: boolean): void {
    const head = responseText(fields, this.#method, ended)
    if (head === undefined) {
      this.#break('its answer has a field that cannot be said in HTTP/1.1')
      return
    }
    const bytes = Buffer.from(head.text, 'latin1')
    if (head.status >= 200) {
      this.#answered = true
      this.#framing = head.framing
      this.#expected = head.contentLength
      this.#received = 0
      this.#trailers = NO_FIELDS
      this.#held = NOTHING
      if (head.framing !== 'chunked' && this.#expected === 0) {
        this.#held = bytes
        return
      }
    }
    this.owner.onData(bytes, bytes.length)
  }

  #onBody(bytes: Buffer): void {
    if (this.#framing === 'chunked') {
      const size = `${bytes.length.toString(16)}\r\n`
      const chunk = Buffer.allocUnsafe(size.length + bytes.length + CRLF.length)
      chunk.write(size, 0, 'latin1')
      bytes.copy(chunk, size.length)
      chunk.write(CRLF, size.length + bytes.length, 'latin1')
      this.owner.onData(chunk, chunk.length)
      return
    }
    this.#received += bytes.length
    if (this.#received < this.#expected) this.owner.onData(bytes, bytes.length)
    else if (this.#received > this.#expected) this.#break('its answer is longer than it says')
    else this.#held = bytes
  }

  /** The stream has ended in order: what completes the answer may be said. */
  #onEnd(stream: ClientHttp2Stream): void {
    if (!this.#answered || this.#received !== this.#expected) return
    const last = this.#framing === 'chunked' ? textOfTrailers(this.#trailers) : this.#held
    if (last === undefined) {
      this.#break('its trailers have a field that cannot be said in HTTP/1.1')
      return
    }
    this.#stream = undefined
    this.#held = NOTHING
    // RFC 9113 §8.1: it has been answered, so what is left of the request is of no use to anybody.
    if (!stream.writableEnded) stream.destroy(CANCELLED)
    this.owner.onData(last, last.length)
  }

  #break(what: string): void {
    const stream = this.#stream
    this.fail(new Error(what))
    stream?.destroy(CANCELLED)
  }
}

/** Node resets a stream with CANCEL for its own kind of AbortError, and with INTERNAL_ERROR for others. */
const CANCELLED = (() => {
  const stream = new PassThrough().on('error', () => {})
  addAbortSignal(AbortSignal.abort(), stream)
  return stream.errored ?? new Error('cancelled')
})()

const NOTHING = Buffer.alloc(0)
const NO_FIELDS: readonly string[] = []

const textOfTrailers = (fields: readonly string[]): Buffer | undefined => {
  const text = trailerText(fields)
  return text === undefined ? undefined : Buffer.from(text, 'latin1')
}

const brokenOff = (code: number | undefined): Error =>
  new Error(`the target broke off the stream with code ${code ?? 0}`)
