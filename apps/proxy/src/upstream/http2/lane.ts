/**
 * One place on a connection of HTTP/2 that is shared: it carries one request at a time, each on a
 * stream of its own. To everybody above it is a socket of HTTP/1.1, which takes a request as text and
 * bytes and gives its answer back so; pools, limits, repeats and all rules are the same for it.
 *
 * What completes an answer is said when the stream has ended and not before: then nothing of it is left
 * when the next request comes, and what was broken off is never taken for complete. What comes in one
 * read of the connection is said in one piece.
 */
import { ChunkedFraming, LAST_CHUNK, chunkHead } from '../../http/chunked.ts'
import { CRLF } from '../../http/syntax.ts'
import { CANCEL, NO_ERROR } from '../../http2/protocol.ts'
import type { Sending } from '../../http2/sending.ts'
import { StreamWay, type WayOwner } from '../../http2/stream-way.ts'
import type { Transport, TransportOwner } from '../../transport/transport.ts'
import { readRequest } from './request-text.ts'
import type { ResponseFields } from './response-fields.ts'

/** The connection, as a lane sees it. */
export interface LaneHome {
  readonly scheme: 'http' | 'https'
  readonly sending: Sending
  /** What a new stream may send. */
  readonly windowBytes: number
  /** It was open before this lane came; or it takes no further requests. */
  readonly used: boolean
  readonly ending: boolean
  /** The id of a new stream, which is the lane's. */
  open(lane: Http2Lane): number
  /** Nothing more is of interest on that stream. */
  close(id: number, way: StreamWay): void
  /** The lane has something to say at the end of this read. */
  speaksLater(lane: Http2Lane): void
  /** The lane is over. `isUnanswered`: while its target owed it an answer and had sent nothing of it. */
  onLaneOver(lane: Http2Lane, isUnanswered: boolean): void
}

/** More does not wait for the end of the read. */
const TEXT_BYTES_MAX = 4_096

export class Http2Lane implements Transport, WayOwner {
  owner: TransportOwner
  readonly remoteAddress = ''
  /** It may have requests. */
  ready = false
  #home: LaneHome | undefined
  #way: StreamWay | undefined
  #used = false
  #over = false
  #paused = false
  /** A request is on it, and its answer has not been said to its end. */
  #busy = false
  // The request that is on its way.
  #left = 0
  #chunks: ChunkedFraming | undefined
  // Its answer.
  #method = ''
  #answered = false
  #chunked = false
  #expected = 0
  #received = 0
  /** To be said at the end of this read, or once somebody listens; and whether it is all there is. */
  #text = ''
  #complete = false
  /** What completes the answer, until its stream has ended. */
  #held = ''

  constructor(owner: TransportOwner) {
    this.owner = owner
  }

  get sharing(): NonNullable<Transport['sharing']> {
    if (this.#home?.ending === true) return 'ending'
    return this.#used ? 'used' : 'fresh'
  }

  get queued(): boolean {
    return this.#way?.congested === true
  }

  get idle(): boolean {
    return !this.#busy
  }

  /** It is to be on that connection. */
  enter(home: LaneHome): void {
    this.#home = home
    this.#way = new StreamWay(home.sending, this)
  }

  /** The connection is there. */
  begin(): void {
    if (this.#over) return
    this.ready = true
    this.#used = this.#home?.used === true
    this.owner.onConnect()
  }

  /** The connection is gone, or was never there, or its target does not go on with this stream. */
  fail(error: Error | undefined): void {
    // What came in the same read, and is whole, is no worse for it.
    if (this.#busy && this.#complete && !this.#paused) {
      this.speak()
      if (this.#home?.ending !== true) return
    }
    if (this.#over) return
    this.#over = true
    this.#release()
    this.#home?.onLaneOver(this, false)
    this.owner.onClose(error)
  }

  // What its owner says.

  write(text: string): boolean {
    if (this.#over) return false
    return this.#busy ? this.#sendText(text) : this.#request(text)
  }

  forward(buffer: Buffer, from: number, to: number): boolean {
    if (this.#way === undefined || !this.#busy) return false
    if (this.#chunks === undefined) {
      this.#left -= to - from
      this.#way.writeData(buffer, from, to, this.#left === 0)
    } else {
      this.#chunks.scan(buffer, from, to)
      if (this.#chunks.done) this.#way.end()
    }
    return !this.#way.congested
  }

  send(head: string, buffer: Buffer, from: number, to: number, tail: string): boolean {
    let flows = head === '' || this.write(head)
    flows = this.forward(buffer, from, to) && flows
    return tail === '' ? flows : this.write(tail) && flows
  }

  pause(): void {
    this.#paused = true
    this.#way?.blockReading(true)
  }

  resume(): void {
    this.#paused = false
    this.#way?.blockReading(false)
    if (this.#text !== '') this.#home?.speaksLater(this)
  }

  /** A stream has no half that could be closed before its request is whole. */
  end(): void {
    this.destroy()
  }

  destroy(): void {
    if (this.#over) return
    this.#over = true
    const isUnanswered = this.#busy && !this.#answered
    if (this.#busy) this.#way?.reset(CANCEL)
    this.#release()
    this.#home?.onLaneOver(this, isUnanswered)
    process.nextTick(() => this.owner.onClose())
  }

  reset(): void {
    this.destroy()
  }

  // What the way to its target says.

  onFlowing(): void {
    if (this.#busy) this.owner.onDrain()
  }

  onEnded(): void {
    // The request is whole: its answer is what is waited for.
  }

  onDeadline(): void {
    // Whoever holds the lane has the deadlines.
  }

  // What comes on its stream. False, or a code: it is not what may come there.

  /** Counts a DATA frame. */
  receive(bytes: number): boolean {
    return this.#way?.receive(bytes) === true
  }

  /** The target takes more. */
  addRoom(bytes: number): boolean {
    return this.#way?.addRoom(bytes) !== false
  }

  onFields(fields: ResponseFields, ends: boolean): boolean {
    if (fields.malformed || this.#complete) return false
    if (!this.#answered) return this.#onHead(fields, ends)
    if (!ends || fields.status !== 0) return false
    if (this.#chunked) this.#held = `0\r\n${fields.lines}\r\n`
    return this.#onEnd()
  }

  onContent(buffer: Buffer, from: number, to: number, last: boolean): boolean {
    if (!this.#answered || this.#complete) return false
    this.#received += to - from
    if (this.#chunked) this.#sayChunk(buffer, from, to)
    else if (this.#received > this.#expected) return false
    else if (this.#received < this.#expected) this.#say(buffer, from, to)
    else this.#held += buffer.toString('latin1', from, to)
    if (last) return this.#onEnd()
    if (!this.#paused) this.#way?.credit()
    return true
  }

  onReset(code: number): void {
    // RFC 9113 §8.1: it wants no more of the request, and has answered it.
    if (this.#complete) return
    this.fail(new Error(`the target reset the stream with code ${code}`))
  }

  /** Ends it with that error. */
  break(code: number, what: string): void {
    this.#way?.reset(code)
    this.fail(new Error(what))
  }

  /** The end of a read: what has come is said. */
  speak(): void {
    if (this.#paused || this.#text === '') return
    const bytes = Buffer.from(this.#text, 'latin1')
    this.#text = ''
    if (this.#complete) this.#release()
    this.owner.onData(bytes, bytes.length)
  }

  // The request.

  #request(text: string): boolean {
    const home = this.#home
    const way = this.#way
    if (home === undefined || way === undefined) return false
    const { method, path, authority, contentLength, chunked, kept, own, bodyFrom } =
      readRequest(text)
    this.#busy = true
    this.#used = true
    this.#method = method
    this.#left = Math.max(contentLength, 0)
    this.#chunks = chunked ? new ChunkedFraming(false, this.#sendData) : undefined
    this.#answered = false
    this.#chunked = false
    this.#complete = false
    this.#held = ''
    way.begin(home.open(this), home.windowBytes)
    const { encoder } = home.sending
    const block = encoder.request({ method, scheme: home.scheme, authority, path }, kept, own)
    way.writeBlock(block, !chunked && this.#left === 0)
    return bodyFrom === text.length || this.#sendText(text.slice(bodyFrom))
  }

  readonly #sendData = (buffer: Buffer, from: number, to: number): void => {
    this.#way?.writeData(buffer, from, to, false)
  }

  #sendText(text: string): boolean {
    const bytes = Buffer.from(text, 'latin1')
    return this.forward(bytes, 0, bytes.length)
  }

  // The answer.

  #onHead(fields: ResponseFields, ends: boolean): boolean {
    const { status, length, head } = fields
    if (status === 0 || status === 101) return false
    if (status < 200) {
      if (ends) return false
      this.#sayText(`${head}${CRLF}`)
      return true
    }
    const isBodiless = this.#method === 'HEAD' || status === 204 || status === 304
    this.#answered = true
    this.#received = 0
    this.#chunked = !isBodiless && length === undefined && !ends
    this.#expected = isBodiless || length === undefined ? 0 : Number(length)
    if (this.#chunked) {
      this.#sayText(`${head}Transfer-Encoding: chunked\r\n\r\n`)
      this.#held = LAST_CHUNK
    } else {
      const isSilent = ends && !isBodiless && length === undefined
      const text = `${head}${isSilent ? 'Content-Length: 0\r\n' : ''}\r\n`
      if (this.#expected === 0) this.#held = text
      else this.#sayText(text)
    }
    return !ends || this.#onEnd()
  }

  /** The stream has ended in order: what completes the answer may be said. */
  #onEnd(): boolean {
    const way = this.#way
    if (way === undefined || (!this.#chunked && this.#received !== this.#expected)) return false
    way.halfClosed = true
    this.#complete = true
    this.#sayText(this.#held)
    this.#held = ''
    return true
  }

  #sayText(text: string): void {
    if (this.#text === '') this.#home?.speaksLater(this)
    this.#text += text
  }

  #say(buffer: Buffer, from: number, to: number): void {
    if (to - from <= TEXT_BYTES_MAX || this.#paused) {
      this.#sayText(buffer.toString('latin1', from, to))
      return
    }
    this.speak()
    if (this.#busy) this.owner.onData(buffer.subarray(from, to), to - from)
  }

  #sayChunk(buffer: Buffer, from: number, to: number): void {
    if (from === to) return
    const head = chunkHead(to - from)
    if (to - from <= TEXT_BYTES_MAX || this.#paused) {
      this.#sayText(head + buffer.toString('latin1', from, to) + CRLF)
      return
    }
    const before = this.#text + head
    this.#text = ''
    const bytes = Buffer.allocUnsafe(before.length + to - from + CRLF.length)
    let length = bytes.write(before, 'latin1')
    length += buffer.copy(bytes, length, from, to)
    length += bytes.write(CRLF, length, 'latin1')
    this.owner.onData(bytes, length)
  }

  /** The stream is over, for us. RFC 9113 §8.1: what is left of a request that was answered is of no use. */
  #release(): void {
    const way = this.#way
    if (!this.#busy || way === undefined) return
    this.#busy = false
    if (this.#complete && !way.ended) way.reset(NO_ERROR)
    way.release()
    this.#text = ''
    this.#home?.close(way.id, way)
  }
}
