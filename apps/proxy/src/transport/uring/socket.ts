/**
 * One socket on the ring. What is written is asked for, and done before the loop rests; what is read
 * comes in buffers of the pool. The hazards of this layer:
 *
 * - The kernel reads what is being sent after we return: it is held until its completion has come.
 * - After it was destroyed, completions of before are still to come, and reads among them have buffers.
 */
import { NOBODY, type Transport, type TransportOwner } from '../transport.ts'
import { LITTLE_BYTES, type Engine } from './engine.ts'
import { Outbox } from './outbox.ts'
import { delivery } from '../read-buffers.ts'
import type { ReadBuffer, ReadPool } from './read-pool.ts'
import {
  ALL_OF_DESCRIPTOR,
  ANY_BUFFER,
  BUFFER_SHIFT,
  CANCEL,
  CLOSE,
  HAS_BUFFER,
  MORE,
  operationOf,
  RECEIVE,
  RECEIVE_ALL,
  RECEIVE_MUCH,
  SEND,
  THEN,
  type Operation,
} from './operations.ts'
import type { Member } from './ring.ts'
import { ECANCELED, ENOBUFS, systemError } from './system-calls.ts'

/** So many reads of a little in a row are the end of much. */
const LITTLE_READS = 8

export class UringTransport implements Transport, Member {
  owner: TransportOwner = NOBODY
  readonly remoteAddress: string
  readonly #engine: Engine
  /** Negative before it is connected, and the descriptor after it was closed too. */
  #place = -1
  #descriptor = -1
  /** What the kernel has not answered. */
  #operations = 0
  #reading = true
  #receiving = false
  #isMuch = false
  #littleReads = 0
  /** What came while the owner wanted nothing, in order. */
  #held: Received[] | undefined
  #writable = true
  /** The peer has ended, and so have we. */
  #inEnded = false
  #outEnded = false
  #closed = false
  #error: Error | undefined
  readonly #outbox: Outbox
  #congested = false
  /** Gives up connecting. */
  #abandon: (() => void) | undefined

  constructor(engine: Engine, remoteAddress: string, abandon?: () => void) {
    this.#engine = engine
    this.#outbox = new Outbox(engine, this)
    this.remoteAddress = remoteAddress
    this.#abandon = abandon
  }

  /** Is connected, by this descriptor, which is its own from now on. */
  adopt(descriptor: number): void {
    this.#abandon = undefined
    this.#descriptor = descriptor
    this.#place = this.#engine.ring.enter(this)
    this.#receiveOn()
  }

  get queued(): boolean {
    return this.#outbox.lags
  }

  write(text: string): boolean {
    if (!this.#writable) return this.#refuse()
    this.#outbox.text(text)
    return this.#flows()
  }

  forward(buffer: Buffer, from: number, to: number): boolean {
    return this.send('', buffer, from, to, '')
  }

  send(head: string, buffer: Buffer, from: number, to: number, tail: string): boolean {
    if (!this.#writable) return this.#refuse()
    this.#outbox.pieces(head, buffer, from, to, tail, delivered)
    return this.#flows()
  }

  pause(): void {
    if (!this.#reading) return
    this.#reading = false
    this.#receiveNoMore()
  }

  resume(): void {
    if (this.#reading || this.#closed) return
    this.#reading = true
    if (this.#held !== undefined) this.#engine.ring.later(() => this.#deliverHeld())
    else this.#receiveOn()
  }

  end(): void {
    if (!this.#writable) return
    this.#writable = false
    if (this.#outbox.empty) this.#shutDown()
  }

  destroy(): void {
    if (this.#closed) return
    this.#closed = true
    this.#writable = false
    this.#reading = false
    this.#outbox.drop()
    for (const { lent } of this.#held ?? []) lent?.letGo()
    this.#held = undefined
    if (this.#descriptor < 0) {
      this.#abandon?.()
      this.#engine.ring.later(() => this.owner.onClose(this.#error))
      return
    }
    this.ask(CANCEL, THEN, 0, 0, ALL_OF_DESCRIPTOR)
    this.ask(CLOSE, 0, 0, 0, 0)
    this.#descriptor = -1
  }

  reset(): void {
    if (this.#descriptor >= 0) this.#engine.resetOnClose(this.#descriptor)
    this.destroy()
  }

  fail(error: Error): void {
    this.#error ??= error
    this.destroy()
  }

  onCompletion(operation: Operation, result: number, flags: number): void {
    if ((flags & MORE) === 0) this.#operations -= 1
    if (operation === RECEIVE) this.#onReceived(this.#engine.little, result, flags)
    else if (operation === RECEIVE_MUCH) {
      this.#engine.much.readers -= 1
      this.#onReceived(this.#engine.much, result, flags)
    } else if (operation === SEND) this.#onSent(result)
    if (this.#closed && this.#operations === 0) {
      this.#engine.ring.leave(this.#place)
      this.owner.onClose(this.#error)
    }
  }

  // Reading: a little comes as it comes; of much, each read is asked for.

  #receiveOn(): void {
    if (!this.#reading || this.#receiving || this.#descriptor < 0) return
    if (this.#inEnded || this.#held !== undefined) return
    this.#receiving = true
    if (this.#isMuch) {
      this.#engine.much.readers += 1
      this.ask(RECEIVE_MUCH, ANY_BUFFER, 0, 0, 0)
    } else this.ask(RECEIVE, ANY_BUFFER | RECEIVE_ALL, 0, 0, 0)
  }

  #receiveNoMore(): void {
    const isOpenEnded = this.#receiving && !this.#isMuch
    if (isOpenEnded) this.ask(CANCEL, 0, operationOf(this.#place, RECEIVE), 0, 0)
  }

  #onReceived(pool: ReadPool, result: number, flags: number): void {
    if ((flags & MORE) === 0) this.#receiving = false
    const lent = (flags & HAS_BUFFER) === 0 ? undefined : pool.take(flags >>> BUFFER_SHIFT)
    if (this.#closed || result < 0) {
      lent?.letGo()
      if (!this.#closed) this.#onReadError(pool, -result)
    } else if (this.#reading && this.#held === undefined) {
      this.#deliver(lent?.bytes ?? NOTHING, result, lent)
      this.#receiveOn()
    } else this.#hold(pool, lent, result)
  }

  #onReadError(pool: ReadPool, errno: number): void {
    if (errno === ENOBUFS) pool.whenFree(() => this.#receiveOn())
    else if (errno === ECANCELED) this.#receiveOn()
    else this.fail(systemError(errno, 'read'))
  }

  #deliver(bytes: Buffer, length: number, lent: ReadBuffer | undefined): void {
    if (length === 0) {
      this.#inEnded = true
      this.owner.onEnd()
      if (this.#outEnded) this.destroy()
      return
    }
    delivered = lent
    delivery.bytes = lent?.bytes
    this.owner.onData(bytes, length)
    delivered = undefined
    delivery.bytes = undefined
    lent?.letGo()
    this.#chooseWay(length)
  }

  /** A read that fills its buffer tells that more is there, and so many that do not, that there is not. */
  #chooseWay(length: number): void {
    if (length >= LITTLE_BYTES) {
      this.#littleReads = 0
      this.#receiveNoMore()
      this.#isMuch = true
    } else if (this.#isMuch) {
      this.#littleReads += 1
      this.#isMuch = this.#littleReads < LITTLE_READS
    }
  }

  /** What has come before the kernel heard that nothing more should: bounded by how it reads a little. */
  #hold(pool: ReadPool, lent: ReadBuffer | undefined, length: number): void {
    this.#held ??= []
    if (lent === undefined || !pool.scarce) {
      this.#held.push({ bytes: lent?.bytes ?? NOTHING, length, lent })
      return
    }
    const bytes = Buffer.from(lent.bytes.subarray(0, length))
    this.#held.push({ bytes, length, lent: undefined })
    lent.letGo()
  }

  #deliverHeld(): void {
    while (this.#reading && this.#held !== undefined) {
      const next = this.#held.shift()
      if (this.#held.length === 0) this.#held = undefined
      if (next !== undefined) this.#deliver(next.bytes, next.length, next.lent)
    }
    this.#receiveOn()
  }

  // Writing.

  #flows(): boolean {
    if (!this.#outbox.full) return true
    // Until it is empty: who was told to wait waits for that, whatever is written meanwhile.
    this.#congested = true
    return false
  }

  /** Who writes after the end may go on when what was written before it is sent. */
  #refuse(): false {
    if (this.#outbox.lags) this.#congested = true
    return false
  }

  #onSent(result: number): void {
    this.#outbox.onSent(result)
    if (this.#closed) return
    if (result < 0) {
      this.fail(systemError(-result, 'write'))
      return
    }
    if (!this.#outbox.empty) return
    if (!this.#writable) this.#shutDown()
    if (this.#congested) {
      this.#congested = false
      this.owner.onDrain()
    }
  }

  /**
   * A call of its own: the kernel would leave it to a thread, which takes the descriptor's number for
   * whoever has it by then.
   */
  #shutDown(): void {
    if (this.#engine.calls.shutdown(this.#descriptor, WRITES) !== 0) {
      this.destroy()
      return
    }
    this.#outEnded = true
    if (this.#inEnded) this.destroy()
  }

  /** In the name of this socket, whose place is kept until the answer has come. */
  ask(operation: Operation, options: number, address: number, length: number, flags: number): void {
    this.#operations += 1
    const { ring } = this.#engine
    ring.ask(this.#place, operation, options, this.#descriptor, address, length, flags)
  }
}

interface Received {
  readonly bytes: Buffer
  /** 0: the peer has ended. */
  readonly length: number
  readonly lent: ReadBuffer | undefined
}

const NOTHING = Buffer.alloc(0)

/** `SHUT_WR`. */
const WRITES = 1

/** The buffer of the read that is being delivered: only its bytes may change when we return. */
let delivered: ReadBuffer | undefined
