/**
 * The frames of the other side: what each of them must look like, and where it may stand (RFC 9113 §6). What they
 * ask of streams is for whoever has the streams.
 */
import type { Control } from './control.ts'
import type { FrameHandler } from './frame-reader.ts'
import { SETTINGS_ACK, pingFrame, windowUpdateFrame } from './frames.ts'
import { HeaderBlock } from './header-block.ts'
import { HpackDecoder, type FieldSink } from './hpack/decoder.ts'
import { PeerSettings, SETTING_BYTES } from './peer-settings.ts'
import {
  ACK,
  COMPRESSION_ERROR,
  CONNECTION_WINDOW_BYTES,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HEADERS,
  NO_ERROR,
  PADDED,
  PING,
  PRIORITY,
  PRIORITY_UPDATE,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  WITH_PRIORITY,
} from './protocol.ts'
import type { Sending } from './sending.ts'

/** What frames say to the connection itself. */
export interface FramesOwner extends Control {
  /** The answer to a PING of ours. */
  onPong(opaque: string): void
  /** The other side begins no more streams, and takes on none of ours beyond `lastId`. */
  onGoAway(lastId: number, code: number): void
}

/** Who reads field blocks: one is read to its end before another begins, on whichever connection. */
export interface BlockSink extends FieldSink {
  begin(): void
}

/** The streams that frames are about. */
export interface FrameStreams<Fields> {
  /** A whole field block. */
  onFields(id: number, fields: Fields, ends: boolean): void
  /** A DATA frame of that many octets begins. */
  onDataBegins(id: number, length: number): void
  onData(id: number, buffer: Buffer, from: number, to: number, last: boolean): void
  onReset(id: number, code: number): void
  /** WINDOW_UPDATE. */
  onRoom(id: number, increment: number): void
  /** SETTINGS: what a stream may send, and how many may be open. False: a window is too large then. */
  resize(windowBytes: number, streamsMax: number): boolean
  /** Ends the stream with that error (RFC 9113 §5.4.2), if it is open. */
  fail(id: number, code: number): void
}

export class FramesIn<Fields extends BlockSink> implements FrameHandler {
  /** The first SETTINGS have come (RFC 9113 §3.4). */
  begun = false
  readonly #owner: FramesOwner
  readonly #sending: Sending
  readonly #streams: FrameStreams<Fields>
  readonly #fields: Fields
  readonly #decoder = new HpackDecoder()
  readonly #settings = new PeerSettings()
  readonly #block = new HeaderBlock()
  /** Of the connection's window. */
  #uncredited = 0

  constructor(owner: FramesOwner, sending: Sending, streams: FrameStreams<Fields>, fields: Fields) {
    this.#owner = owner
    this.#sending = sending
    this.#streams = streams
    this.#fields = fields
  }

  get reading(): boolean {
    return this.#owner.reading
  }

  /** A head has begun that is to be there soon. */
  get waits(): boolean {
    return this.#block.open
  }

  onOversized(): void {
    this.#owner.leave(FRAME_SIZE_ERROR, 'a frame of more than 16384 octets')
  }

  onBadPadding(): void {
    this.#owner.leave(PROTOCOL_ERROR, 'padding that is longer than its frame')
  }

  onFrame(type: number, flags: number, id: number, buffer: Buffer, from: number, to: number): void {
    if (!this.#mayStandHere(type, id)) return
    const problem = lengthProblem(type, flags, to - from) || streamProblem(type, id)
    if (problem !== NO_ERROR) {
      if (type === PRIORITY && id > 0) this.#streams.fail(id, problem)
      else this.#owner.leave(problem, `a frame of type ${type}`)
      return
    }
    switch (type) {
      case HEADERS:
        this.#onHeaders(flags, id, buffer, from, to)
        return
      case CONTINUATION:
        this.#onContinuation(flags, buffer, from, to)
        return
      case RST_STREAM:
        this.#streams.onReset(id, buffer.readUInt32BE(from))
        return
      case SETTINGS:
        if ((flags & ACK) === 0) this.#onSettings(buffer, from, to)
        else this.#owner.spend()
        return
      case PING:
        this.#onPing(flags, buffer, from, to)
        return
      case GOAWAY:
        this.#owner.onGoAway(
          buffer.readUInt32BE(from) & 0x7f_ff_ff_ff,
          buffer.readUInt32BE(from + 4),
        )
        return
      case WINDOW_UPDATE:
        this.#onWindowUpdate(id, buffer.readUInt32BE(from) & 0x7f_ff_ff_ff)
        return
      default:
        // RFC 9113 §5.5: what we do not know, or do not follow, is passed over.
        this.#owner.spend()
    }
  }

  onDataBegins(id: number, length: number): void {
    if (!this.#mayStandHere(DATA, id)) return
    this.#uncredited += length
    if (this.#uncredited > CONNECTION_WINDOW_BYTES) {
      this.#owner.leave(FLOW_CONTROL_ERROR, 'more than the connection may have')
      return
    }
    if (this.#uncredited > CONNECTION_WINDOW_BYTES / 2) {
      this.#sending.outbox.write(windowUpdateFrame(0, this.#uncredited))
      this.#uncredited = 0
    }
    this.#streams.onDataBegins(id, length)
  }

  onData(id: number, buffer: Buffer, from: number, to: number, last: boolean): void {
    this.#streams.onData(id, buffer, from, to, last)
  }

  #onHeaders(flags: number, id: number, buffer: Buffer, from: number, to: number): void {
    const isPadded = (flags & PADDED) !== 0
    const start = from + (isPadded ? 1 : 0) + ((flags & WITH_PRIORITY) === 0 ? 0 : 5)
    const end = to - (isPadded ? (buffer[from] ?? 0) : 0)
    if (start > end) {
      this.onBadPadding()
      return
    }
    const ends = (flags & END_STREAM) !== 0
    if ((flags & END_HEADERS) !== 0) this.#readBlock(id, ends, buffer, start, end)
    else this.#block.begin(id, ends, buffer, start, end)
  }

  #onContinuation(flags: number, buffer: Buffer, from: number, to: number): void {
    if (!this.#block.add(buffer, from, to)) {
      this.#owner.leave(ENHANCE_YOUR_CALM, 'a head in too many pieces')
    } else if ((flags & END_HEADERS) !== 0) {
      const { id, endsStream } = this.#block
      const bytes = this.#block.end()
      this.#readBlock(id, endsStream, bytes, 0, bytes.length)
    }
  }

  #readBlock(id: number, ends: boolean, buffer: Buffer, from: number, to: number): void {
    const fields = this.#fields
    fields.begin()
    if (this.#decoder.decode(buffer, from, to, fields)) this.#streams.onFields(id, fields, ends)
    else this.#owner.leave(COMPRESSION_ERROR, 'a field block')
  }

  #onSettings(buffer: Buffer, from: number, to: number): void {
    const error = this.#settings.read(buffer, from, to)
    const { streamsMax, tableBytes, windowBytes } = this.#settings
    if (error !== NO_ERROR) {
      this.#owner.leave(error, 'a setting')
      return
    }
    if (this.begun) this.#owner.spend()
    this.begun = true
    if (!this.reading) return
    if (tableBytes !== undefined) this.#sending.encoder.resize(tableBytes)
    this.#sending.outbox.write(SETTINGS_ACK)
    if (!this.#streams.resize(windowBytes, streamsMax)) {
      this.#owner.leave(FLOW_CONTROL_ERROR, 'a window that is too large')
    }
  }

  #onPing(flags: number, buffer: Buffer, from: number, to: number): void {
    const opaque = buffer.toString('latin1', from, to)
    if ((flags & ACK) === 0) this.#sending.outbox.write(pingFrame(opaque, ACK))
    else this.#owner.onPong(opaque)
    this.#owner.spend()
  }

  #onWindowUpdate(id: number, increment: number): void {
    this.#owner.spend()
    if (!this.reading) return
    if (id > 0) this.#streams.onRoom(id, increment)
    else if (increment === 0) this.#owner.leave(PROTOCOL_ERROR, 'WINDOW_UPDATE of nothing')
    else if (!this.#sending.addRoom(increment)) {
      this.#owner.leave(FLOW_CONTROL_ERROR, 'a window that is too large')
    }
  }

  /** RFC 9113 §3.4, §6.10: SETTINGS come first, and nothing comes between the pieces of a head. */
  #mayStandHere(type: number, id: number): boolean {
    if (!this.begun && type !== SETTINGS) {
      this.#owner.leave(PROTOCOL_ERROR, 'the first frame is not SETTINGS')
    } else if (
      this.#block.open ? type !== CONTINUATION || id !== this.#block.id : type === CONTINUATION
    ) {
      this.#owner.leave(PROTOCOL_ERROR, 'a head is not in one piece')
    }
    return this.reading
  }
}

const lengthProblem = (type: number, flags: number, length: number): number => {
  switch (type) {
    case PRIORITY:
      return length === 5 ? NO_ERROR : FRAME_SIZE_ERROR
    case RST_STREAM:
    case WINDOW_UPDATE:
      return length === 4 ? NO_ERROR : FRAME_SIZE_ERROR
    case SETTINGS:
      if ((flags & ACK) !== 0) return length === 0 ? NO_ERROR : FRAME_SIZE_ERROR
      return length % SETTING_BYTES === 0 ? NO_ERROR : FRAME_SIZE_ERROR
    case PING:
      return length === 8 ? NO_ERROR : FRAME_SIZE_ERROR
    case GOAWAY:
      return length >= 8 ? NO_ERROR : FRAME_SIZE_ERROR
    default:
      return NO_ERROR
  }
}

/** What is for one stream must name one of the client's, and what is for all must name none. */
const streamProblem = (type: number, id: number): number => {
  switch (type) {
    case HEADERS:
      return id % 2 === 1 ? NO_ERROR : PROTOCOL_ERROR
    case PRIORITY:
    case RST_STREAM:
      return id > 0 ? NO_ERROR : PROTOCOL_ERROR
    case SETTINGS:
    case PING:
    case GOAWAY:
    case PRIORITY_UPDATE:
      return id === 0 ? NO_ERROR : PROTOCOL_ERROR
    case PUSH_PROMISE:
      return PROTOCOL_ERROR
    default:
      return NO_ERROR
  }
}
