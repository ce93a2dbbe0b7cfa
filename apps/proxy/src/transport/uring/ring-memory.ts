/** Opens a ring (io_uring_setup(2)) and finds its parts in the memory that the kernel shares with us. */
import { allocate, type NativeMemory } from './native-memory.ts'
import { systemError, type SystemCalls } from './system-calls.ts'

export interface RingMemory {
  readonly descriptor: number
  /** Heads, tails and what was completed. */
  readonly words: Uint32Array
  /** What is asked for. */
  readonly requests: Uint32Array
  readonly places: Places
}

/** Throws where the kernel has none for us. `completionsMax` is a power of two. */
export const openRing = (calls: SystemCalls, completionsMax: number): RingMemory => {
  const parameters = allocate(calls, PARAMETER_WORDS * 4)
  const given = wordsOf(parameters)
  given[COMPLETIONS] = completionsMax
  given[FLAGS] = SETUP_FLAGS
  const { address } = parameters
  const descriptor = Number(
    calls.syscall(IO_URING_SETUP, BigInt(REQUESTS_MAX), address, 0n, 0n, 0n, 0n),
  )
  if (descriptor < 0) throw systemError(calls.errno(), 'io_uring_setup')
  const places = placesOf(given)
  const words = mapped(calls, descriptor, places.bytes, 0n)
  const bytes = REQUESTS_MAX * REQUEST_WORDS * 4
  const requests = mapped(calls, descriptor, bytes, REQUESTS_OFFSET)
  for (let index = 0; index < REQUESTS_MAX; index += 1) words[places.requests + index] = index
  return { descriptor, words, requests, places }
}

const mapped = (
  { mmap, bytesAt, errno }: SystemCalls,
  descriptor: number,
  bytes: number,
  offset: bigint,
): Uint32Array => {
  const address = mmap(0n, BigInt(bytes), READ_WRITE, SHARED_POPULATED, descriptor, offset)
  if (address === MAP_FAILED) throw systemError(errno(), 'mmap')
  return new Uint32Array(bytesAt(address, bytes))
}

/** So many are handed over at once. A power of two. */
export const REQUESTS_MAX = 1_024
export const REQUEST_WORDS = 16
export const COMPLETION_WORDS = 4
const IO_URING_SETUP = 425n
const READ_WRITE = 3
const SHARED_POPULATED = 0x8001
const MAP_FAILED = 0xffff_ffff_ffff_ffffn
const REQUESTS_OFFSET = 0x1000_0000n

/**
 * As many completions as we say; requests are handed over whatever becomes of those before; and no
 * interrupt of a running thread for the sake of a completion, which it gets when it asks anyway.
 */
const SETUP_FLAGS = (1 << 3) | (1 << 7) | (1 << 8)

/** `io_uring_params`, in words. */
const PARAMETER_WORDS = 30
const COMPLETIONS = 1
const FLAGS = 2
const REQUEST_OFFSETS = 10
const COMPLETION_OFFSETS = 20

/** Where things are in the memory that is shared, in words. */
export interface Places {
  readonly bytes: number
  readonly flags: number
  readonly requestsTail: number
  readonly requests: number
  readonly completionsHead: number
  readonly completionsTail: number
  readonly completionsMask: number
  readonly completions: number
}

const placesOf = (parameters: Uint32Array): Places => {
  const at = (index: number): number => parameters[index] ?? 0
  const entries = { requests: at(0), completions: at(COMPLETIONS) }
  if (entries.requests !== REQUESTS_MAX) throw new Error('the ring has another size than was asked')
  const requestsAt = at(REQUEST_OFFSETS + 6)
  const completionsAt = at(COMPLETION_OFFSETS + 5)
  return {
    bytes: Math.max(
      requestsAt + entries.requests * 4,
      completionsAt + entries.completions * COMPLETION_WORDS * 4,
    ),
    flags: at(REQUEST_OFFSETS + 4) / 4,
    requestsTail: at(REQUEST_OFFSETS + 1) / 4,
    requests: requestsAt / 4,
    completionsHead: at(COMPLETION_OFFSETS) / 4,
    completionsTail: at(COMPLETION_OFFSETS + 1) / 4,
    completionsMask: entries.completions - 1,
    completions: completionsAt / 4,
  }
}

const wordsOf = ({ bytes }: NativeMemory): Uint32Array =>
  new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
