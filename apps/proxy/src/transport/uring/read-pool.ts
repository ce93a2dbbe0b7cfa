/**
 * What sockets read into: buffers that the kernel was given and takes one of when something comes, so
 * that a socket which waits has none. A buffer goes back when it has been dealt with, and when what
 * was to be written out of it has been.
 */
import { allocate, type NativeMemory } from './native-memory.ts'
import type { Ring } from './ring.ts'
import type { SystemCalls } from './system-calls.ts'

export class ReadBuffer {
  readonly bytes: Buffer
  readonly address: number
  readonly #give: () => void
  #holders = 0

  constructor(bytes: Buffer, address: number, give: () => void) {
    this.bytes = bytes
    this.address = address
    this.#give = give
  }

  hold(): void {
    this.#holders += 1
  }

  letGo(): void {
    this.#holders -= 1
    if (this.#holders === 0) this.#give()
  }
}

export class ReadPool {
  /** Reads that were asked for and not answered, as far as they are counted: see `rest`. */
  readers = 0
  readonly #memory: NativeMemory
  readonly #words: Uint32Array
  readonly #halves: Uint16Array
  readonly #buffers: readonly ReadBuffer[]
  readonly #bufferBytes: number
  readonly #calls: SystemCalls
  #wasUsed = false
  #given = 0
  #free = 0
  /** Who wanted to read while none was free. */
  #waiting: (() => void)[] = []

  /** So many buffers, a power of two, as the group of that number. */
  constructor(calls: SystemCalls, ring: Ring, group: number, count: number, bufferBytes: number) {
    this.#calls = calls
    this.#bufferBytes = bufferBytes
    this.#memory = allocate(calls, count * bufferBytes)
    const address = Number(this.#memory.address)
    const list = calls.mmap(0n, BigInt(count * ENTRY_BYTES), READ_WRITE, PRIVATE, -1, 0n)
    const entries = calls.bytesAt(list, count * ENTRY_BYTES)
    this.#words = new Uint32Array(entries)
    this.#halves = new Uint16Array(entries)
    const registration = allocate(calls, REGISTRATION_BYTES)
    registration.bytes.writeBigUInt64LE(list, 0)
    registration.bytes.writeUInt32LE(count, 8)
    registration.bytes.writeUInt16LE(group, 12)
    ring.register(REGISTER_BUFFERS, registration, 1n)
    this.#buffers = Array.from({ length: count }, (_, index) => {
      const from = index * bufferBytes
      const bytes = this.#memory.bytes.subarray(from, from + bufferBytes)
      return new ReadBuffer(bytes, address + from, () => this.#give(index))
    })
    for (let index = 0; index < count; index += 1) this.#give(index)
  }

  /** The buffer that the kernel has put something into. It has one holder now. */
  take(index: number): ReadBuffer {
    const buffer = this.#buffers[index]
    if (buffer === undefined)
      throw new Error(`the kernel names buffer ${index}, which it was not given`)
    this.#free -= 1
    this.#wasUsed = true
    buffer.hold()
    return buffer
  }

  /** So few are left that nobody should keep one for long. */
  get scarce(): boolean {
    return this.#free < this.#buffers.length / 2
  }

  /**
   * Gives memory back to the system, if nobody has any of it: a burst is not paid for ever after. While
   * a read is asked for, the kernel may have put something into a buffer that we have not heard of.
   */
  rest(): void {
    const inUse = this.readers > 0 || this.#free < this.#buffers.length
    if (!this.#wasUsed || inUse) return
    this.#wasUsed = false
    const { bytes, address } = this.#memory
    // Only whole pages of it, and there is nothing in them that anybody wants.
    const from = Math.ceil(Number(address) / PAGE_BYTES) * PAGE_BYTES
    const to = Math.floor((Number(address) + bytes.length) / PAGE_BYTES) * PAGE_BYTES
    this.#calls.madvise(BigInt(from), BigInt(to - from), DO_NOT_NEED)
  }

  /** Called once there is a buffer again. */
  whenFree(action: () => void): void {
    if (this.#free > 0) action()
    else this.#waiting.push(action)
  }

  #give(index: number): void {
    const { address } = this.#buffers[index] ?? NO_BUFFER
    const entry = this.#given & (this.#halves.length / ENTRY_HALVES - 1)
    const at = entry * ENTRY_WORDS
    this.#words[at] = address
    this.#words[at + 1] = address / 2 ** 32
    this.#words[at + 2] = this.#bufferBytes
    this.#halves[entry * ENTRY_HALVES + ID_HALF] = index
    this.#given = (this.#given + 1) & 0xffff
    Atomics.store(this.#halves, TAIL_HALF, this.#given)
    this.#free += 1
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const action of waiting) action()
  }
}

const PAGE_BYTES = 65_536
const DO_NOT_NEED = 4
const READ_WRITE = 3
const PRIVATE = 0x22
const REGISTER_BUFFERS = 22n
const REGISTRATION_BYTES = 40
/** `io_uring_buf`: address, length, number, and in the first one the tail of the list. */
const ENTRY_BYTES = 16
const ENTRY_WORDS = 4
const ENTRY_HALVES = 8
const ID_HALF = 6
const TAIL_HALF = 7
const NO_BUFFER = { address: 0 }
