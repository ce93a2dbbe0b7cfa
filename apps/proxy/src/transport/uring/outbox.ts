/**
 * What one socket has to send, in order. One request is under way at a time, or a chain of them, which
 * the kernel works off one after the other: else they could overtake.
 */
import type { Engine } from './engine.ts'
import { IF_WELL, SEND, type Operation } from './operations.ts'
import { CHUNK_BYTES, type Holder } from './out-pool.ts'
import { outgoingBytes, outgoingText, type Outgoing } from './outgoing.ts'
import type { ReadBuffer } from './read-pool.ts'

/** Less is copied into one piece, more is sent from where it is. */
const COPIED_BYTES_MAX = 16_384

/** What may be on its way to the kernel before its writer is told to stop. */
const UNSENT_BYTES_MAX = 131_072

/** Of what waits, so many pieces go at once. */
const CHAIN_MAX = 8

/** Asks the ring, in the name of the socket. */
export type Ask = (
  operation: Operation,
  options: number,
  address: number,
  length: number,
  flags: number,
) => void

export class Outbox {
  readonly #engine: Engine
  readonly #asker: { readonly ask: Ask }
  /** What is being sent, and what of a chain comes after it. */
  #sending: Holder | undefined
  #chain: Outgoing[] | undefined
  /** When it was asked for, and up to which address. */
  #askedAt = 0
  #askedTo = 0
  #waiting: Outgoing[] | undefined
  #unsent = 0

  constructor(engine: Engine, asker: { readonly ask: Ask }) {
    this.#engine = engine
    this.#asker = asker
  }

  get empty(): boolean {
    return this.#sending === undefined
  }

  get full(): boolean {
    return this.#unsent >= UNSENT_BYTES_MAX
  }

  /** A little that was asked for in this turn is as good as written: it is tried before what we ask next. */
  get lags(): boolean {
    if (this.#waiting !== undefined || this.#unsent > COPIED_BYTES_MAX) return true
    return this.#sending !== undefined && this.#askedAt <= this.#engine.ring.submitted
  }

  text(text: string): void {
    if (text.length > CHUNK_BYTES) {
      this.#later(outgoingText(this.#engine, text))
      this.#sendWaiting()
      return
    }
    const chunk = this.#engine.out.room(text.length)
    const from = chunk.used
    chunk.used += chunk.bytes.write(text, from, 'latin1')
    chunk.hold()
    this.#send(chunk, chunk.address + from, chunk.used - from)
  }

  /** `delivered`: the read that is being delivered; its bytes change as soon as we return. */
  pieces(
    head: string,
    buffer: Buffer,
    from: number,
    to: number,
    tail: string,
    delivered: ReadBuffer | undefined,
  ): void {
    const length = head.length + to - from + tail.length
    if (length > COPIED_BYTES_MAX) {
      if (head !== '') this.#later(outgoingText(this.#engine, head))
      if (from < to) this.#later(outgoingBytes(this.#engine, buffer, from, to, delivered))
      if (tail !== '') this.#later(outgoingText(this.#engine, tail))
      this.#sendWaiting()
      return
    }
    const chunk = this.#engine.out.room(length)
    const start = chunk.used
    let at = start
    if (head !== '') at += chunk.bytes.write(head, at, 'latin1')
    at += buffer.copy(chunk.bytes, at, from, to)
    if (tail !== '') at += chunk.bytes.write(tail, at, 'latin1')
    chunk.used = at
    chunk.hold()
    this.#send(chunk, chunk.address + start, length)
  }

  /** A request was answered; when all went well what waits is next. */
  onSent(result: number): void {
    this.#sending?.letGo()
    const next = this.#chain?.shift()
    this.#sending = next?.holder
    if (next === undefined) this.#chain = undefined
    if (result < 0) return
    this.#unsent -= result
    this.#sendWaiting()
  }

  /** What was not asked for yet is not sent. */
  drop(): void {
    for (const { holder } of this.#waiting ?? []) holder.letGo()
    this.#waiting = undefined
  }

  #send(holder: Holder, address: number, length: number): void {
    const { ring } = this.#engine
    if (this.#sending === undefined) {
      this.#sending = holder
      this.#unsent += length
      this.#asker.ask(SEND, 0, address, length, SEND_FLAGS)
      this.#askedAt = ring.asked
      this.#askedTo = address + length
    } else if (this.#follows(holder, address)) {
      ring.lengthenLast(length)
      this.#unsent += length
      this.#askedTo += length
      holder.letGo()
    } else this.#later({ holder, address, length })
  }

  /** It comes right after what was asked for a moment ago, and can go with that. */
  #follows(holder: Holder, address: number): boolean {
    const isNext = this.#waiting === undefined && this.#askedTo === address
    return isNext && this.#sending === holder && this.#engine.ring.isLast(this.#askedAt)
  }

  #later(outgoing: Outgoing): void {
    this.#unsent += outgoing.length
    this.#waiting ??= []
    this.#waiting.push(outgoing)
  }

  #sendWaiting(): void {
    const waiting = this.#waiting
    if (waiting === undefined || this.#sending !== undefined) return
    const chain = waiting.splice(0, CHAIN_MAX)
    if (waiting.length === 0) this.#waiting = undefined
    const { ring } = this.#engine
    // A chain that is handed over in two is two chains.
    ring.makeRoom(CHAIN_MAX)
    chain.forEach(({ address, length }, index) => {
      const isLast = index === chain.length - 1
      this.#asker.ask(SEND, isLast ? 0 : IF_WELL, address, length, isLast ? SEND_FLAGS : MORE_FLAGS)
    })
    this.#askedAt = ring.asked
    this.#askedTo = 0
    this.#sending = chain.shift()?.holder
    this.#chain = chain.length === 0 ? undefined : chain
  }
}

/** No SIGPIPE; all of it; and, of a piece before others, that more is to come. */
const SEND_FLAGS = 0x4000 | 0x100
const MORE_FLAGS = SEND_FLAGS | 0x8000
