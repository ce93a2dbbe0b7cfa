/**
 * A ring of io_uring (io_uring(7)): what is asked of the kernel is written into memory that it reads,
 * what came of it into memory that we read, and one system call hands over everything that a turn of
 * the loop has asked for. Node's loop waits for the ring as for any other descriptor.
 *
 * Whoever asks is a member, by its place in a table, and is told of each completion. A member keeps its
 * place until all it asked for has been answered, so that no answer reaches a stranger.
 */
import { allocate, type NativeMemory } from './native-memory.ts'
import {
  COMPLETION_WORDS,
  openRing,
  REQUEST_WORDS,
  REQUESTS_MAX,
  type Places,
} from './ring-memory.ts'
import type { Operation } from './operations.ts'
import { systemError, type SystemCalls } from './system-calls.ts'

export interface Member {
  /**
   * `operation` is the one that was asked for. A negative result is an error's number. `flags` is a mix
   * of MORE and HAS_BUFFER, and has the number of the buffer above BUFFER_SHIFT.
   */
  onCompletion(operation: Operation, result: number, flags: number): void
}

export class Ring {
  readonly descriptor: number
  /** How much was ever asked for, and how much of that has been handed over. */
  asked = 0
  submitted = 0
  readonly #calls: SystemCalls
  readonly #handle: NativeMemory
  /** Heads, tails and what was completed; what is asked for. */
  readonly #words: Uint32Array
  readonly #requests: Uint32Array
  readonly #at: Places
  readonly #members: (Member | undefined)[] = []
  readonly #free: number[] = []
  #count = 0
  #tail: number
  #unsubmitted = 0
  #later: (() => void)[] = []
  #immediate: NodeJS.Immediate | undefined
  #turning = false

  /** `completionsMax`: that need not be taken at once; a power of two. */
  constructor(calls: SystemCalls, completionsMax = COMPLETIONS_MAX) {
    this.#calls = calls
    const memory = openRing(calls, completionsMax)
    this.descriptor = memory.descriptor
    this.#words = memory.words
    this.#requests = memory.requests
    this.#at = memory.places
    this.#tail = this.#words[this.#at.requestsTail] ?? 0
    this.#handle = allocate(calls, Number(calls.uv_handle_size(UV_POLL)))
  }

  /** Has Node's loop wait for it. From then on libuv knows where we are: we may never be collected. */
  watch(): void {
    const { loop, nothing, uv_poll_init, uv_poll_start, uv_unref } = this.#calls
    const result = uv_poll_init(loop, this.#handle.address, this.descriptor)
    if (result !== 0) throw systemError(-result, 'uv_poll_init')
    uv_poll_start(this.#handle.address, UV_READABLE, nothing)
    uv_unref(this.#handle.address)
  }

  /** The place of a new member. The process stays alive for as long as there is one. */
  enter(member: Member): number {
    const place = this.#free.pop() ?? this.#members.length
    this.#members[place] = member
    this.#count += 1
    if (this.#count === 1) this.#calls.uv_ref(this.#handle.address)
    return place
  }

  leave(place: number): void {
    this.#members[place] = undefined
    this.#free.push(place)
    this.#count -= 1
    if (this.#count === 0) this.#calls.uv_unref(this.#handle.address)
  }

  /** It reaches the kernel before the loop rests; what its address points to has to last. */
  ask(
    place: number,
    operation: Operation,
    options: number,
    descriptor: number,
    address: number,
    length: number,
    flags: number,
  ): void {
    this.makeRoom(1)
    const at = (this.#tail & (REQUESTS_MAX - 1)) * REQUEST_WORDS
    const words = this.#requests
    words[at] = (operation & KERNEL_BITS) | options
    words[at + 1] = descriptor
    words[at + 4] = address
    words[at + 5] = address / 2 ** 32
    words[at + 6] = length
    words[at + 7] = flags
    words[at + 10] = operation >>> GROUP_SHIFT
    words[at + 8] = place
    words[at + 9] = operation
    this.#tail = (this.#tail + 1) >>> 0
    this.#unsubmitted += 1
    this.asked += 1
    if (!this.#turning) this.#schedule().ref()
  }

  /** Hands over what was asked for, unless so many more fit beside it. */
  makeRoom(count: number): void {
    if (this.#unsubmitted + count > REQUESTS_MAX) this.#submit()
  }

  /** Whether nothing was asked for since, and it has not been handed over: then it may be changed. */
  isLast(asked: number): boolean {
    return asked === this.asked && asked > this.submitted
  }

  /** What was asked for last is of so many bytes more. */
  lengthenLast(bytes: number): void {
    const at = ((this.#tail - 1) & (REQUESTS_MAX - 1)) * REQUEST_WORDS + 6
    this.#requests[at] = (this.#requests[at] ?? 0) + bytes
  }

  /** Hands over at once what was asked for. */
  flush(): void {
    if (this.#unsubmitted > 0) this.#submit()
  }

  /** In the next turn, and so not within the call that asks for it. */
  later(action: () => void): void {
    this.#later.push(action)
    this.#schedule().ref()
  }

  register(code: bigint, argument: NativeMemory, count: bigint): void {
    const descriptor = BigInt(this.descriptor)
    const { address } = argument
    const result = this.#calls.syscall(IO_URING_REGISTER, descriptor, code, address, count, 0n, 0n)
    if (result < 0n) throw systemError(this.#calls.errno(), 'io_uring_register')
  }

  readonly #turn = (): void => {
    this.#immediate = undefined
    this.#turning = true
    try {
      this.#doLater()
      for (let round = 0; round < ROUNDS_MAX; round += 1) {
        const completed = this.#complete()
        if (this.#unsubmitted > 0) this.#submit()
        else if (completed === 0) break
        if (this.#overflown) this.#enter(0, GET_EVENTS)
      }
    } finally {
      this.#turning = false
      const left = this.#later.length > 0 || this.#unsubmitted > 0 || this.#completionsWait
      if (left) this.#schedule().ref()
      else if (this.#count > 0) this.#schedule()
    }
  }

  #complete(): number {
    const words = this.#words
    const { completionsHead, completionsTail, completionsMask, completions } = this.#at
    let head = words[completionsHead] ?? 0
    const tail = Atomics.load(words, completionsTail)
    const count = (tail - head) >>> 0
    while (head !== tail) {
      const at = completions + (head & completionsMask) * COMPLETION_WORDS
      const place = words[at] ?? 0
      // Only what we asked for comes back.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const operation = words[at + 1] as Operation
      const result = (words[at + 2] ?? 0) | 0
      const flags = words[at + 3] ?? 0
      head = (head + 1) >>> 0
      Atomics.store(words, completionsHead, head)
      this.#members[place]?.onCompletion(operation, result, flags)
    }
    return count
  }

  /** More was completed than there is room for: the kernel keeps it until it is asked. */
  get #overflown(): boolean {
    return (Atomics.load(this.#words, this.#at.flags) & OVERFLOWN) !== 0
  }

  get #completionsWait(): boolean {
    return this.#words[this.#at.completionsHead] !== this.#words[this.#at.completionsTail]
  }

  #submit(): void {
    Atomics.store(this.#words, this.#at.requestsTail, this.#tail)
    this.#unsubmitted -= this.#enter(this.#unsubmitted, 0n)
    this.submitted = this.asked - this.#unsubmitted
  }

  /** How many requests the kernel has taken: none when it asks for patience. */
  #enter(count: number, flags: bigint): number {
    const { syscall, errno } = this.#calls
    const descriptor = BigInt(this.descriptor)
    const taken = Number(syscall(IO_URING_ENTER, descriptor, BigInt(count), 0n, flags, 0n, 0n))
    if (taken >= 0) return taken
    const reason = errno()
    if (!PATIENCE.has(reason)) throw systemError(reason, 'io_uring_enter')
    return 0
  }

  #doLater(): void {
    if (this.#later.length === 0) return
    const actions = this.#later
    this.#later = []
    for (const action of actions) action()
  }

  /** An immediate that nobody waits for runs at the end of whatever turn comes next. */
  #schedule(): NodeJS.Immediate {
    this.#immediate ??= setImmediate(this.#turn).unref()
    return this.#immediate
  }
}

/** A turn that goes on and on would keep timers waiting. */
const ROUNDS_MAX = 8

const COMPLETIONS_MAX = 8_192

const KERNEL_BITS = 0xff
const GROUP_SHIFT = 8

const GET_EVENTS = 1n
const OVERFLOWN = 2
/** EINTR, EAGAIN, EBUSY. */
const PATIENCE: ReadonlySet<number> = new Set([4, 11, 16])

const IO_URING_ENTER = 426n
const IO_URING_REGISTER = 427n
const UV_POLL = 8
const UV_READABLE = 1
