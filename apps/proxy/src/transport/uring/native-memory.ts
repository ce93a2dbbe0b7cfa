/** Memory that C sees too: it does not move, and lives as long as whoever made it holds it. */
import type { SystemCalls } from './system-calls.ts'

export interface NativeMemory {
  readonly bytes: Buffer
  readonly address: bigint
}

export const allocate = (calls: SystemCalls, bytes: number): NativeMemory => {
  // Not of Node's pool; and V8 keeps nothing of that size in its own heap, where it would move.
  const buffer = Buffer.alloc(Math.max(bytes, SMALLEST_BYTES))
  return { bytes: buffer, address: calls.addressOf(buffer) }
}

const SMALLEST_BYTES = 256
