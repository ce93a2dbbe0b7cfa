/** What all sockets of a process share. */
import { allocate } from './native-memory.ts'
import { OutPool } from './out-pool.ts'
import { ReadPool } from './read-pool.ts'
import { Ring } from './ring.ts'
import type { SystemCalls } from './system-calls.ts'

export interface Engine {
  readonly calls: SystemCalls
  readonly ring: Ring
  /** For whoever waits for a little, and for those through whom much flows. */
  readonly little: ReadPool
  readonly much: ReadPool
  readonly out: OutPool
  /** The close that follows sends RST: SO_LINGER for no time at all. */
  readonly resetOnClose: (descriptor: number) => void
}

/** Throws when the kernel has no ring for us. */
export const createEngine = (calls: SystemCalls): Engine => {
  const ring = new Ring(calls)
  const linger = allocate(calls, LINGER_BYTES)
  linger.bytes.writeInt32LE(1, 0)
  const little = new ReadPool(calls, ring, 0, LITTLE_COUNT, LITTLE_BYTES)
  const much = new ReadPool(calls, ring, 1, MUCH_COUNT, MUCH_BYTES)
  // Last: an older kernel may have refused what comes before.
  ring.watch()
  setInterval(() => much.rest(), REST_MS).unref()
  return {
    calls,
    ring,
    little,
    much,
    out: new OutPool(calls),
    resetOnClose: (descriptor) => {
      calls.setsockopt(descriptor, SOL_SOCKET, SO_LINGER, linger.address, LINGER_BYTES)
    },
  }
}

/** Most heads fit, and whole answers: 2 MiB in all. */
const LITTLE_COUNT = 512
export const LITTLE_BYTES = 4_096
/** A body of 64 KiB with its head in one read: 16 MiB, of which only what was once in use is real. */
const MUCH_COUNT = 64
export const MUCH_BYTES = 262_144

const REST_MS = 2_000

const SOL_SOCKET = 1
const SO_LINGER = 13
/** `struct linger`: whether, and for how many seconds. */
const LINGER_BYTES = 8
