/**
 * One connection of HTTP/2 to a target: it connects, says what it is willing to take, has as many lanes
 * as its target allows streams, and ends with the last of them, or when its target wants it to.
 *
 * It counts as connected once the target's SETTINGS are there, since only then it is known that HTTP/2
 * is spoken, and how many streams may be open.
 */
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { FIELDS_MAX, HEAD_BYTES_MAX } from '../../http/limits.ts'
import { Timer, type TimerOwner, type Wheel } from '../../wheel.ts'
import type { Http2Lane, LaneHome } from './lane.ts'

export interface SessionParts {
  readonly wheel: Wheel
  /** A target that owes answers and has been silent for so long is asked whether it is still there. */
  readonly silentMs: number
  /** How long it waits for a next lane after its last. */
  readonly idleMs: number
  /** Starts to connect, for TLS with `h2` as the only protocol. */
  readonly dial: () => Socket
  /** Beyond what the target allows: finds another place for them. */
  readonly replace: (lanes: readonly Http2Lane[]) => void
  /** It takes no more lanes. */
  readonly onEnding: (session: Http2Session) => void
  /** Its socket is closed. */
  readonly onGone: () => void
}

/** The code of an error that says that a target speaks something else. */
export const NOT_HTTP2 = 'NOT_HTTP2'

/** Streams that a target which has not said its bound yet is expected to allow (RFC 9113 §6.5.2). */
const STREAMS_EXPECTED = 100
/** Bytes of one answer that may be under way while its client takes none. */
const STREAM_WINDOW_BYTES = 262_144
/** Bytes of all answers together that may be under way before we have read them. */
const CONNECTION_WINDOW_BYTES = 4_194_304
/** Above what all streams together may leave with us, so that Node refuses none for it. */
const SESSION_MEMORY_MEGABYTES_MAX = 256
/** A connection has 2^30 stream ids for us; long before they are used up it is replaced. */
const REQUESTS_PER_SESSION_MAX = 2 ** 29
/** How long the answer to a PING, and the end of the last streams, is waited for. */
const PATIENCE_MS = 5_000

export class Http2Session implements LaneHome, TimerOwner {
  readonly scheme: 'http' | 'https'
  used = false
  ending = false
  readonly #parts: SessionParts
  readonly #socket: Socket
  readonly #session: ClientHttp2Session
  readonly #lanes = new Set<Http2Lane>()
  readonly #timer = new Timer(this)
  #open = false
  #lanesMax = STREAMS_EXPECTED
  #requests = 0
  /** Streams that are open. */
  #owed = 0
  #connected = false
  #error: Error | undefined
  /** When the target was last known to say something, and how much it had said by then. */
  #heardAt = 0
  #heardBytes = 0
  #awaitsPing = false

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#socket = parts.dial()
    // HTTP/2 has no use for half a connection, and Node would keep what its target has left.
    this.#socket.allowHalfOpen = false
    this.scheme = this.#socket instanceof TLSSocket ? 'https' : 'http'
    this.#session = this.#connect()
  }

  get hasRoom(): boolean {
    return !this.ending && !this.#awaitsPing && this.#lanes.size < this.#lanesMax
  }

  /** The lane hears `ready` or `fail`, but not before this has returned. */
  enter(lane: Http2Lane): void {
    this.#lanes.add(lane)
    lane.enter(this)
    if (this.#lanes.size === 1 && this.#open) this.#parts.wheel.disarm(this.#timer)
    if (this.#open) process.nextTick(() => this.#admit(lane))
  }

  leave(lane: Http2Lane, unanswered: boolean): void {
    if (!this.#lanes.delete(lane)) return
    // Whoever gives up on a connection that is being made has waited for it as long as anybody may.
    if (!this.#open) this.#retire()
    if (this.#lanes.size === 0) {
      if (this.ending) this.#close()
      else this.#parts.wheel.arm(this.#timer, this.#parts.idleMs)
    } else if (unanswered) this.#doubt()
  }

  /** Takes no more lanes, and closes as soon as it has none. */
  retire(): void {
    this.#retire()
    if (this.#lanes.size === 0) this.#close()
  }

  request(fields: readonly string[], ended: boolean): ClientHttp2Stream {
    const stream = this.#session.request(fields, { endStream: ended })
    stream.once('close', this.#onStreamClosed)
    // Who owes nothing may be silent.
    if (this.#owed === 0 || this.#heardBytes !== this.#socket.bytesRead) this.#noteHeard()
    this.#owed += 1
    this.#requests += 1
    if (this.#requests === REQUESTS_PER_SESSION_MAX) this.#retire()
    return stream
  }

  /** Nobody needs it; or the target is gone, or will not let go. */
  onDeadline(): void {
    if (!this.ending && this.#lanes.size === 0) {
      this.#close()
      return
    }
    this.#error ??= new Error('the target did not answer a PING in time')
    this.#session.destroy()
  }

  readonly #onStreamClosed = (): void => {
    this.#owed -= 1
  }

  #connect(): ClientHttp2Session {
    const socket = this.#socket
    const session = connect(`${this.scheme}://target`, {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: HEAD_BYTES_MAX,
      },
      maxHeaderListPairs: FIELDS_MAX,
      maxSessionMemory: SESSION_MEMORY_MEGABYTES_MAX,
      ...LENIENT,
    })
    session.on('connect', () => {
      this.#connected = true
      if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
        this.#error = notHttp2('the target does not offer h2 (ALPN)')
        session.destroy()
        return
      }
      session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    })
    session.on('remoteSettings', ({ maxConcurrentStreams = STREAMS_EXPECTED }) => {
      // With none at all, one request waits for its stream as long as it may wait for an answer.
      this.#lanesMax = Math.max(1, maxConcurrentStreams)
      if (!this.#open) this.#onOpen()
    })
    session.on('goaway', () => this.#retire())
    session.on('error', (error) => (this.#error ??= error))
    session.on('close', () => this.#onClose())
    return session
  }

  #onOpen(): void {
    this.#open = true
    this.#noteHeard()
    const lanes = [...this.#lanes]
    const surplus = lanes.splice(this.#lanesMax)
    for (const lane of surplus) this.#lanes.delete(lane)
    for (const lane of lanes) this.#admit(lane)
    this.used = true
    if (surplus.length > 0) this.#parts.replace(surplus)
    if (this.#lanes.size === 0) this.#close()
  }

  #admit(lane: Http2Lane): void {
    if (this.#lanes.has(lane)) lane.ready()
  }

  #onClose(): void {
    this.#parts.wheel.release(this.#timer)
    this.#retire()
    const error = this.#open ? this.#error : this.#connectError()
    for (const lane of this.#lanes) lane.fail(error)
    this.#parts.onGone()
  }

  /** Where the socket was there and SETTINGS never came, something else is spoken. */
  #connectError(): Error | undefined {
    return this.#connected
      ? notHttp2(this.#error?.message ?? 'the target closed the connection before its SETTINGS')
      : this.#error
  }

  /** It takes no more requests; those that it has go on. */
  #retire(): void {
    if (this.ending) return
    this.ending = true
    this.#parts.onEnding(this)
    if (this.#open) for (const lane of this.#lanes) if (lane.idle) lane.fail(undefined)
  }

  /** Nobody is on it any more, but the last streams may still have something to say to the target. */
  #close(): void {
    this.#retire()
    if (this.#session.destroyed) return
    if (!this.#open || this.#owed === 0) {
      this.#session.destroy()
      return
    }
    this.#parts.wheel.arm(this.#timer, PATIENCE_MS)
    this.#session.close()
  }

  /** One request got no answer. A connection that is dead looks the same, and all others would wait too. */
  #doubt(): void {
    if (this.#awaitsPing || this.ending || this.#session.destroyed) return
    if (this.#heardBytes !== this.#socket.bytesRead) {
      this.#noteHeard()
      return
    }
    if (performance.now() - this.#heardAt < this.#parts.silentMs) return
    this.#awaitsPing = true
    this.#parts.wheel.arm(this.#timer, PATIENCE_MS)
    this.#session.ping((error) => {
      if (error !== null) return
      this.#awaitsPing = false
      this.#noteHeard()
      if (!this.ending) this.#parts.wheel.disarm(this.#timer)
    })
  }

  #noteHeard(): void {
    this.#heardBytes = this.#socket.bytesRead
    this.#heardAt = performance.now()
  }
}

/** Fields pass as they came, doubled ones too: it is for the target to judge them. */
const LENIENT: object = { strictSingleValueFields: false }

const notHttp2 = (message: string): Error => Object.assign(new Error(message), { code: NOT_HTTP2 })
