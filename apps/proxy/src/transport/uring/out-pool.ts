/**
 * Where text becomes bytes to be sent: a stretch of memory that is filled from its start, and begins
 * anew as soon as all that was put into it has been sent, which most often is within one turn.
 */
import { allocate } from './native-memory.ts'
import type { SystemCalls } from './system-calls.ts'

/** Whoever has the bytes that are being sent. */
export interface Holder {
  letGo(): void
}

export class Chunk implements Holder {
  readonly bytes: Buffer
  readonly address: number
  readonly #onEmpty: (chunk: Chunk) => void
  used = 0
  #holders = 0

  constructor(calls: SystemCalls, onEmpty: (chunk: Chunk) => void) {
    const { bytes, address } = allocate(calls, CHUNK_BYTES)
    this.bytes = bytes
    this.address = Number(address)
    this.#onEmpty = onEmpty
  }

  hold(): void {
    this.#holders += 1
  }

  letGo(): void {
    this.#holders -= 1
    if (this.#holders > 0) return
    this.used = 0
    this.#onEmpty(this)
  }
}

export class OutPool {
  readonly #calls: SystemCalls
  readonly #free: Chunk[] = []
  #current: Chunk

  constructor(calls: SystemCalls) {
    this.#calls = calls
    this.#current = this.#make()
  }

  /** A chunk that has room for so many bytes, at most CHUNK_BYTES, from `used` on. */
  room(length: number): Chunk {
    if (this.#current.used + length > CHUNK_BYTES) this.#current = this.#free.pop() ?? this.#make()
    return this.#current
  }

  #make(): Chunk {
    return new Chunk(this.#calls, (chunk) => {
      if (chunk !== this.#current && this.#free.length < FREE_CHUNKS_MAX) this.#free.push(chunk)
    })
  }
}

/** As long as one client takes nothing, the chunk of what it was sent last is not used again. */
export const CHUNK_BYTES = 32_768
const FREE_CHUNKS_MAX = 64
