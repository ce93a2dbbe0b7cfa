/**
 * The socket of a client, with what both its connection and the exchange on it have to know: whether
 * it takes what we write, whether we read from it, what was read and not understood yet, and the one
 * deadline that runs at a time.
 */
import type { Transport } from '../transport/transport.ts'
import { Timer, type TimerOwner, type Wheel } from '../wheel.ts'
import type { ClientWay } from './client-way.ts'
import { WAITING_BYTES_MAX } from './limits.ts'

const NOTHING = Buffer.alloc(0)

export class ClientSocket implements ClientWay {
  /** The client has sent FIN: nothing is to come but what is kept. */
  halfClosed = false
  /** A write said so, and `onDrain` has not come since. */
  congested = false
  readonly #transport: Transport
  readonly #wheel: Wheel
  readonly #timer: Timer
  #kept: Buffer = NOTHING
  #own: Buffer = NOTHING
  #blocked = false
  #paused = false

  constructor(transport: Transport, wheel: Wheel, owner: TimerOwner) {
    this.#transport = transport
    this.#wheel = wheel
    this.#timer = new Timer(owner)
  }

  write(text: string): boolean {
    const flows = this.#transport.write(text)
    if (!flows) this.congested = true
    return flows
  }

  forward(buffer: Buffer, from: number, to: number): boolean {
    const flows = this.#transport.forward(buffer, from, to)
    if (!flows) this.congested = true
    return flows
  }

  send(head: string, buffer: Buffer, from: number, to: number, tail: string): boolean {
    const flows = this.#transport.send(head, buffer, from, to, tail)
    if (!flows) this.congested = true
    return flows
  }

  /** Some of what was written has not been taken by the kernel. */
  get queued(): boolean {
    return this.#transport.queued
  }

  /** All that was written has been taken by the kernel, and nothing that came is left. */
  get flushed(): boolean {
    return !this.#transport.queued && !this.hasKept
  }

  /** Sends FIN after what is queued. */
  end(): void {
    this.#transport.end()
  }

  destroy(): void {
    this.#transport.destroy()
  }

  reset(): void {
    this.#transport.reset()
  }

  /** Replaces the deadline that runs. */
  arm(afterMs: number): void {
    this.#wheel.arm(this.#timer, afterMs)
  }

  disarm(): void {
    this.#wheel.disarm(this.#timer)
  }

  /** For a socket that is gone. */
  release(): void {
    this.#wheel.release(this.#timer)
    this.#kept = NOTHING
  }

  get hasKept(): boolean {
    return this.#kept.length > 0
  }

  /** Keeps a copy of bytes that nobody can take now. When there are many, no more are read. */
  keep(buffer: Buffer, from: number, to: number): void {
    if (from >= to) return
    const bytes = buffer.subarray(from, to)
    if (this.hasKept) this.#kept = Buffer.concat([this.#kept, bytes])
    else this.#kept = buffer === this.#own ? bytes : Buffer.from(bytes)
    this.#updateReading()
  }

  takeKept(): Buffer {
    const kept = this.#kept
    this.#kept = NOTHING
    this.#updateReading()
    return kept
  }

  /** Takes what was kept, to keep the rest of it again: until `returned` that needs no copy. */
  borrowKept(): Buffer {
    this.#own = this.takeKept()
    return this.#own
  }

  returned(): void {
    this.#own = NOTHING
  }

  /** While blocked, nothing is read: whoever would get it cannot take it. */
  blockReading(blocked: boolean): void {
    if (this.#blocked === blocked) return
    this.#blocked = blocked
    this.#updateReading()
  }

  #updateReading(): void {
    const pause = this.#blocked || this.#kept.length >= WAITING_BYTES_MAX
    if (pause === this.#paused) return
    this.#paused = pause
    if (pause) this.#transport.pause()
    else this.#transport.resume()
  }
}
