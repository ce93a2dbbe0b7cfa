/**
 * One end of a connection without a socket: what is sent to it waits until the owner reads, what the
 * owner writes is collected, and a close is told after the call that caused it, as transports must.
 */
import {
  NOBODY,
  type Transport,
  type TransportOwner,
} from '../../apps/proxy/src/transport/transport.ts'

export class MemoryTransport implements Transport {
  owner: TransportOwner = NOBODY
  readonly remoteAddress = '192.0.2.1'
  readonly queued = false
  /** Everything that the owner has written. */
  written = ''
  /** The owner has sent FIN. */
  ended = false
  /** The owner has cut it. */
  wasReset = false
  #incoming: ('fin' | Buffer)[] = []
  #open = true
  #told = false
  #reading = true
  #finTold = false

  /** The other side sends this, in one piece. */
  arrive(text: string): void {
    if (text !== '') this.#incoming.push(Buffer.from(text, 'latin1'))
  }

  arriveEnd(): void {
    this.#incoming.push('fin')
  }

  /** Lets the owner hear of one thing that has happened. False when there was nothing to hear. */
  step(): boolean {
    if (!this.#open || (this.ended && this.#finTold)) return this.#tellClose()
    const next = this.#reading ? this.#incoming.shift() : undefined
    if (next === undefined) return false
    if (next === 'fin') {
      this.#finTold = true
      this.owner.onEnd()
    } else {
      this.owner.onData(next, next.length)
      // It was lent: whoever still has it has the wrong bytes now.
      next.fill('!')
    }
    return true
  }

  get closed(): boolean {
    return this.#told
  }

  write(text: string): boolean {
    if (this.#open && !this.ended) this.written += text
    return this.#open
  }

  forward(buffer: Buffer, from: number, to: number): boolean {
    return this.write(buffer.toString('latin1', from, to))
  }

  send(head: string, buffer: Buffer, from: number, to: number, tail: string): boolean {
    return this.write(head + buffer.toString('latin1', from, to) + tail)
  }

  pause(): void {
    this.#reading = false
  }

  resume(): void {
    this.#reading = true
  }

  end(): void {
    this.ended = true
  }

  destroy(): void {
    this.#open = false
  }

  reset(): void {
    if (this.#open) this.wasReset = true
    this.#open = false
  }

  #tellClose(): boolean {
    if (this.#told) return false
    this.#open = false
    this.#told = true
    this.owner.onClose()
    return true
  }
}
