/**
 * One connection of HTTP/2 to a target: it connects, says what it is willing to take, has as many lanes
 * as its target allows streams, and ends some time after the last of them, or when its target wants it to.
 *
 * It counts as connected once the target's SETTINGS are there, since only then it is known that HTTP/2
 * is spoken, and how many streams may be open.
 */
import { FrameReader } from '../../http2/frame-reader.ts'
import { goAwayFrame, pingFrame, settingsFrame, windowUpdateFrame } from '../../http2/frames.ts'
import { FramesIn, type FramesOwner } from '../../http2/frames-in.ts'
import {
  CONNECTION_WINDOW_BYTES,
  ENABLE_PUSH,
  INITIAL_WINDOW_SIZE,
  MAX_HEADER_LIST_SIZE,
  NO_ERROR,
  PREFACE,
  STREAM_ID_MAX,
  STREAM_WINDOW_BYTES,
  WINDOW_BYTES_DEFAULT,
} from '../../http2/protocol.ts'
import { Sending } from '../../http2/sending.ts'
import type { StreamWay } from '../../http2/stream-way.ts'
import { HEAD_BYTES_MAX } from '../../http/limits.ts'
import { ClientSocket } from '../../serve/client-socket.ts'
import type { Transport, TransportOwner } from '../../transport/transport.ts'
import type { TimerOwner, Wheel } from '../../wheel.ts'
import type { Http2Lane, LaneHome } from './lane.ts'
import { ResponseFields } from './response-fields.ts'
import { Http2Streams, type StreamsOwner } from './streams.ts'

export interface SessionParts {
  readonly wheel: Wheel
  readonly scheme: 'http' | 'https'
  /** A target that owes answers and has been silent for so long is asked whether it is still there. */
  readonly silentMs: number
  /** How long it waits for a next lane after its last. */
  readonly idleMs: number
  /** Starts to connect. */
  readonly connect: (owner: TransportOwner) => Transport
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
/** How long a target may take to answer a PING, or to take the last that we have to say. */
const PATIENCE_MS = 5_000
/** Eight octets (RFC 9113 §6.7). */
const ALIVE = 'alive?  '
/** Answers to its frames that a target takes none of: then we read no more of what asks for them. */
const UNTAKEN_BYTES_MAX = 65_536
/** Ids of which a connection has no more to give: it is replaced before. */
const LAST_STREAM_ID = STREAM_ID_MAX - 1_000

const OWN_SETTINGS = [
  [ENABLE_PUSH, 0],
  [INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES],
  [MAX_HEADER_LIST_SIZE, HEAD_BYTES_MAX],
] as const

/** One block is read to its end before another begins, on whichever connection. */
const fields = new ResponseFields()

type Phase = 'connecting' | 'greeting' | 'open' | 'closed'

export class Http2Session
  implements TransportOwner, TimerOwner, FramesOwner, StreamsOwner, LaneHome
{
  readonly scheme: 'http' | 'https'
  readonly sending: Sending
  used = false
  ending = false
  readonly #parts: SessionParts
  readonly #socket: ClientSocket
  readonly #frames: FramesIn<ResponseFields>
  readonly #reader: FrameReader
  readonly #lanes = new Set<Http2Lane>()
  readonly #streams: Http2Streams
  /** Those that have something to say at the end of this read. */
  #speaking: Http2Lane[] = []
  #isInRead = false
  #phase: Phase = 'connecting'
  #lanesMax = STREAMS_EXPECTED
  /** When the target said something last, or had nothing to say. */
  #heardAt = 0
  #awaitsPong = false

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.scheme = parts.scheme
    this.#socket = new ClientSocket(parts.connect(this), parts.wheel, this)
    this.sending = new Sending(this.#socket, parts.wheel)
    this.#streams = new Http2Streams(this, this.sending)
    this.#frames = new FramesIn(this, this.sending, this.#streams, fields)
    this.#reader = new FrameReader(this.#frames)
  }

  get hasRoom(): boolean {
    return !this.ending && !this.#awaitsPong && this.#lanes.size < this.#lanesMax
  }

  /** The lane hears that it is ready, or that it failed, but not before this has returned. */
  enter(lane: Http2Lane): void {
    this.#lanes.add(lane)
    lane.enter(this)
    if (this.#phase !== 'open') return
    if (this.#lanes.size === 1) this.#socket.disarm()
    process.nextTick(() => this.#admit(lane))
  }

  /** Takes no more lanes, and closes with the last that it has. */
  retire(): void {
    if (this.ending) return
    this.ending = true
    this.#parts.onEnding(this)
    if (this.#lanes.size === 0) this.leave(NO_ERROR, '')
  }

  // What lanes say.

  get windowBytes(): number {
    return this.#streams.windowBytes
  }

  open(lane: Http2Lane): number {
    // Who owes nothing may be silent.
    if (this.#streams.size === 0) this.#heardAt = performance.now()
    const id = this.#streams.open(lane)
    if (id > LAST_STREAM_ID) this.#endRequests()
    return id
  }

  close(id: number, way: StreamWay): void {
    this.#streams.close(id, way)
  }

  speaksLater(lane: Http2Lane): void {
    this.#speaking.push(lane)
    if (!this.#isInRead) process.nextTick(() => this.#speak())
  }

  onLaneOver(lane: Http2Lane, isUnanswered: boolean): void {
    if (!this.#lanes.delete(lane) || this.#phase === 'closed') return
    if (this.#lanes.size > 0) {
      if (isUnanswered) this.#doubt()
    } else if (this.ending) this.leave(NO_ERROR, '')
    else if (this.#phase === 'open') this.#socket.arm(this.#parts.idleMs)
    // Whoever gives up on a connection that is being made has waited for it as long as anybody may.
    if (this.#phase === 'connecting' || this.#phase === 'greeting') this.retire()
  }

  // What the socket says.

  onConnect(): void {
    if (this.#phase !== 'connecting') return
    this.#phase = 'greeting'
    const more = CONNECTION_WINDOW_BYTES - WINDOW_BYTES_DEFAULT
    this.sending.outbox.write(PREFACE + settingsFrame(OWN_SETTINGS) + windowUpdateFrame(0, more))
  }

  onData(buffer: Buffer, length: number): void {
    if (!this.reading) return
    this.#onHeard()
    this.#isInRead = true
    this.#reader.read(buffer, 0, length)
    this.#isInRead = false
    if (this.#phase === 'greeting' && this.#frames.begun) this.#onOpen()
    this.#speak()
    const { congested, outbox } = this.sending
    if (congested && outbox.gathered > UNTAKEN_BYTES_MAX) this.#socket.blockReading(true)
  }

  onDrain(): void {
    this.#socket.congested = false
    this.#socket.blockReading(false)
    this.sending.pump()
  }

  onEnd(): void {
    this.#end(undefined)
    this.#socket.destroy()
  }

  onClose(error?: Error): void {
    this.#end(error)
    this.#socket.release()
    this.#parts.onGone()
  }

  /** Nobody needs it; or it was left, and its target will not let go; or the target is gone. */
  onDeadline(): void {
    if (this.#phase === 'closed') this.#socket.destroy()
    else if (this.#lanes.size === 0) this.leave(NO_ERROR, '')
    else {
      this.#end(new Error('the target did not answer a PING in time'))
      this.#socket.destroy()
    }
  }

  // What the frames say to the connection.

  get reading(): boolean {
    return this.#phase === 'open' || this.#phase === 'greeting'
  }

  leave(code: number, about: string): void {
    if (this.#phase === 'closed') return
    const { outbox } = this.sending
    if (this.#phase !== 'connecting') outbox.write(goAwayFrame(0, code, about))
    this.#end(about === '' ? undefined : new Error(`the target breaks HTTP/2: ${about}`))
    outbox.flush()
    if (this.#socket.queued) {
      this.#socket.end()
      this.#socket.arm(PATIENCE_MS)
    } else this.#socket.destroy()
  }

  glitch(): void {
    // What a target costs us is bounded by what it is asked.
  }

  spend(): void {
    // Answers to its frames wait for it to take them, and then we read no more.
  }

  onNoStreams(): void {
    // Lanes are what it lives for.
  }

  onPong(): void {
    // Whatever a target says, it is alive.
  }

  onGoAway(lastId: number): void {
    this.#endRequests()
    this.#streams.failNewer(lastId)
  }

  /** With none at all, one request waits for an answer as long as it may. */
  onStreamsMax(streamsMax: number): void {
    this.#lanesMax = Math.max(1, streamsMax)
    if (this.#phase !== 'open') return
    for (const lane of this.#lanes) {
      if (this.#lanes.size > this.#lanesMax && lane.ready && lane.idle) lane.fail(undefined)
    }
  }

  // The steps.

  #onOpen(): void {
    this.#phase = 'open'
    const lanes = [...this.#lanes]
    const surplus = lanes.splice(this.#lanesMax)
    for (const lane of lanes) this.#admit(lane)
    this.used = true
    this.#replace(surplus)
  }

  #admit(lane: Http2Lane): void {
    if (this.#lanes.has(lane)) lane.begin()
  }

  /** No further request is to be on it. */
  #endRequests(): void {
    this.retire()
    if (this.#phase !== 'open') return
    this.#replaceThoseThatWait()
    for (const lane of this.#lanes) if (lane.idle) lane.fail(undefined)
    if (this.#lanes.size === 0) this.leave(NO_ERROR, '')
  }

  #onHeard(): void {
    this.#heardAt = performance.now()
    if (!this.#awaitsPong) return
    this.#awaitsPong = false
    if (this.#lanes.size > 0) this.#socket.disarm()
  }

  /** Nobody has told them yet that they may begin. */
  #replaceThoseThatWait(): void {
    this.#replace([...this.#lanes].filter(({ ready }) => !ready))
  }

  #replace(lanes: readonly Http2Lane[]): void {
    for (const lane of lanes) this.#lanes.delete(lane)
    if (lanes.length > 0) this.#parts.replace(lanes)
  }

  #speak(): void {
    const lanes = this.#speaking
    if (lanes.length === 0) return
    this.#speaking = []
    for (const lane of lanes) lane.speak()
  }

  /** One request got no answer. A connection that is dead looks the same, and all others would wait too. */
  #doubt(): void {
    if (this.#awaitsPong || performance.now() - this.#heardAt < this.#parts.silentMs) return
    this.#awaitsPong = true
    this.#socket.arm(PATIENCE_MS)
    this.sending.outbox.write(pingFrame(ALIVE, 0))
  }

  /** Whoever is still on it is told. Where the socket was there and SETTINGS were not, it is no HTTP/2. */
  #end(error: Error | undefined): void {
    if (this.#phase === 'closed') return
    const reason = this.#phase === 'greeting' ? notHttp2(error) : error
    const wasOpen = this.#phase === 'open'
    this.#phase = 'closed'
    if (!this.ending) this.#parts.onEnding(this)
    this.ending = true
    if (wasOpen) this.#replaceThoseThatWait()
    for (const lane of this.#lanes) lane.fail(reason)
  }
}

const notHttp2 = (cause: Error | undefined): Error =>
  Object.assign(new Error('the target does not speak HTTP/2', { cause }), { code: NOT_HTTP2 })
