/**
 * A client's connection in HTTP/2 (RFC 9113), from its preface to its end: when it waits for what, what it
 * forgives, and how it is left. To a request it does not matter: a stream is to it what a connection of
 * HTTP/1 is.
 */
import type { Peer } from '../http/forward-head.ts'
import { ClientSocket } from '../serve/client-socket.ts'
import type { ServeContext } from '../serve/context.ts'
import { LingeringClose } from '../serve/lingering-close.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'
import type { TimerOwner } from '../wheel.ts'
import { FrameReader } from './frame-reader.ts'
import { goAwayFrame, pingFrame, settingsFrame, windowUpdateFrame } from './frames.ts'
import { FramesIn, type FramesOwner } from './frames-in.ts'
import { Glitches, SMALL_GLITCH } from './glitches.ts'
import {
  CONNECTION_WINDOW_BYTES,
  ENHANCE_YOUR_CALM,
  NO_ERROR,
  PREFACE,
  PROTOCOL_ERROR,
  STREAM_ID_MAX,
  WINDOW_BYTES_DEFAULT,
} from './protocol.ts'
import { RequestFields } from './request-fields.ts'
import { Sending } from './sending.ts'
import { Streams } from './streams.ts'

type Phase =
  | 'open'
  /** GOAWAY has been sent and no stream is left; what still comes is read and dropped. */
  | 'closing'
  | 'closed'

/** What is waited for; `stream-long`: for so long that it should cost little. */
type Wait = 'nothing' | 'frame' | 'stream' | 'stream-long'

/** Acknowledgements and the like that a client takes none of: then we read no more of what asks for them. */
const UNTAKEN_BYTES_MAX = 65_536
/** Frames of a client that answer one of ours with content, as they may: so many, and so many saved up. */
const ANSWERS_PER_FRAME = 4
const ANSWERS_MAX = 1_000
const RETIRING = 'retiring'
/** Who asks again asks within this. */
const SHORT_WAIT_MS = 2_000
/** One block is read to its end before another begins, on whichever connection. */
const fields = new RequestFields()

export class Http2Session implements TransportOwner, TimerOwner, FramesOwner {
  readonly #context: ServeContext
  readonly #socket: ClientSocket
  readonly #onGone: (session: Http2Session) => void
  readonly #sending: Sending
  readonly #streams: Streams
  readonly #frames: FramesIn<RequestFields>
  readonly #reader: FrameReader
  readonly #glitches = new Glitches()
  #phase: Phase = 'open'
  #waits: Wait = 'nothing'
  #lingering: LingeringClose | undefined
  #prefaceSeen = 0
  #retiring = false
  /** The client begins no more streams. */
  #clientLeaves = false
  #answersDue = ANSWERS_MAX

  constructor(
    context: ServeContext,
    transport: Transport,
    peer: Peer,
    onGone: (session: Http2Session) => void,
  ) {
    this.#context = context
    this.#onGone = onGone
    this.#socket = new ClientSocket(transport, context.wheel, this)
    this.#sending = new Sending(this.#socket, context.wheel)
    this.#streams = new Streams(context, this, this.#sending, peer)
    this.#frames = new FramesIn(this, this.#sending, this.#streams, fields)
    this.#reader = new FrameReader(this.#frames)
    transport.owner = this
    const more = CONNECTION_WINDOW_BYTES - WINDOW_BYTES_DEFAULT
    this.#sending.outbox.write(settingsFrame() + windowUpdateFrame(0, more))
    this.#watch()
  }

  /**
   * The proxy ends: open streams go on. RFC 9113 §6.8: those that are on their way are taken on too; once
   * the answer to our PING is here, all of them have come.
   */
  retire(): void {
    if (!this.reading || this.#retiring) return
    this.#retiring = true
    const { outbox } = this.#sending
    outbox.write(goAwayFrame(STREAM_ID_MAX, NO_ERROR, '') + pingFrame(RETIRING, 0))
    this.#waits = 'nothing'
    this.#watch()
  }

  /** The proxy cannot wait any longer. True when a request was cut. */
  cut(): boolean {
    const isBusy = this.#streams.cut()
    this.leave(NO_ERROR, '')
    return isBusy
  }

  destroy(): void {
    this.#socket.destroy()
  }

  // What the socket says.

  onConnect(): void {
    // An accepted socket is connected before it has an owner.
  }

  onData(buffer: Buffer, length: number): void {
    if (!this.reading) return
    const from = this.#prefaceSeen < PREFACE.length ? this.#readPreface(buffer, length) : 0
    if (from < length) this.#reader.read(buffer, from, length)
    if (!this.reading) return
    const { congested, outbox } = this.#sending
    if (congested && outbox.gathered > UNTAKEN_BYTES_MAX) this.#socket.blockReading(true)
    this.#watch()
  }

  onDrain(): void {
    this.#socket.congested = false
    if (this.#phase === 'closing') this.#lingering?.onDrain()
    else {
      this.#socket.blockReading(false)
      this.#sending.pump()
    }
  }

  onEnd(): void {
    this.#socket.halfClosed = true
    this.onGoAway()
  }

  onClose(): void {
    this.#phase = 'closed'
    this.#socket.release()
    this.#streams.abandonAll()
    this.#onGone(this)
  }

  onDeadline(): void {
    if (this.#phase === 'closing') this.#lingering?.onDeadline()
    else if (this.#waits === 'stream') this.#waitOn()
    else this.leave(NO_ERROR, this.#waits === 'frame' ? 'a frame did not come in time' : '')
  }

  // What the frames say.

  get reading(): boolean {
    return this.#phase === 'open'
  }

  leave(code: number, about: string): void {
    if (!this.reading) return
    this.#phase = 'closing'
    const { outbox } = this.#sending
    outbox.write(goAwayFrame(this.#streams.lastId, code, about))
    this.#streams.abandonAll()
    outbox.flush()
    this.#lingering = new LingeringClose(this.#socket, this.#context.limits)
    this.#lingering.begin()
  }

  glitch(weight: number): void {
    if (this.#glitches.add(weight, performance.now())) return
    this.#context.counters.http2.calmed += 1
    this.leave(ENHANCE_YOUR_CALM, 'too much that is worth nothing')
  }

  spend(): void {
    const due = this.#answersDue + this.#sending.outbox.takeDataWritten() * ANSWERS_PER_FRAME
    this.#answersDue = Math.min(due, ANSWERS_MAX) - 1
    if (this.#answersDue >= 0) return
    this.#answersDue = 0
    this.glitch(SMALL_GLITCH)
  }

  onNoStreams(): void {
    if (this.reading) this.#watch()
  }

  onPong(opaque: string): void {
    if (!this.#retiring || opaque !== RETIRING) return
    this.#streams.refuseNewer()
    this.#sending.outbox.write(goAwayFrame(this.#streams.lastId, NO_ERROR, ''))
    this.onGoAway()
  }

  onGoAway(): void {
    this.#clientLeaves = true
    if (this.reading) this.#watch()
  }

  /** The index behind as much of it as is here (RFC 9113 §3.4). */
  #readPreface(buffer: Buffer, length: number): number {
    const to = Math.min(length, PREFACE.length - this.#prefaceSeen)
    const seenTo = this.#prefaceSeen + to
    if (buffer.toString('latin1', 0, to) !== PREFACE.slice(this.#prefaceSeen, seenTo)) {
      this.leave(PROTOCOL_ERROR, 'no preface')
      return length
    }
    this.#prefaceSeen = seenTo
    return to
  }

  /** Sees to it that what is waited for is not waited for too long. */
  #watch(): void {
    const isFrame = !this.#frames.begun || this.#frames.waits || this.#reader.waits
    const isIdle = this.#streams.size === 0
    if (isIdle && this.#clientLeaves && !isFrame) this.leave(NO_ERROR, '')
    else if (isFrame) this.#await('frame', this.#context.limits.headMs)
    else if (isIdle) {
      if (this.#waits !== 'stream-long')
        this.#await('stream', Math.min(SHORT_WAIT_MS, this.#idleMs))
    } else if (this.#waits !== 'nothing') {
      this.#waits = 'nothing'
      this.#socket.disarm()
    }
  }

  /** Nothing has come for a while: what is kept for a next request goes. */
  #waitOn(): void {
    this.#streams.forgetSpare()
    if (this.#idleMs <= SHORT_WAIT_MS) this.leave(NO_ERROR, '')
    else this.#await('stream-long', this.#idleMs - SHORT_WAIT_MS)
  }

  get #idleMs(): number {
    const { clientIdleMs, retiringIdleMs } = this.#context.limits
    return this.#retiring ? retiringIdleMs : clientIdleMs
  }

  #await(what: Wait, ms: number): void {
    if (this.#waits === what) return
    this.#waits = what
    this.#socket.arm(ms)
  }
}
