/** A piece that is to be sent: where its bytes are, and who holds them until it has been. */
import { isLent } from '../read-buffers.ts'
import type { Engine } from './engine.ts'
import { CHUNK_BYTES, type Holder } from './out-pool.ts'
import type { ReadBuffer } from './read-pool.ts'

export interface Outgoing {
  readonly holder: Holder
  readonly address: number
  readonly length: number
}

/** Latin-1. */
export const outgoingText = (engine: Engine, text: string): Outgoing => {
  if (text.length > CHUNK_BYTES) return kept(engine, Buffer.from(text, 'latin1'))
  const chunk = engine.out.room(text.length)
  const from = chunk.used
  chunk.used += chunk.bytes.write(text, from, 'latin1')
  chunk.hold()
  return { holder: chunk, address: chunk.address + from, length: text.length }
}

/**
 * Those of the read that is being delivered are held back from being read over, or copied while
 * buffers are scarce. All others stay as they are.
 */
export const outgoingBytes = (
  engine: Engine,
  buffer: Buffer,
  from: number,
  to: number,
  delivered: ReadBuffer | undefined,
): Outgoing => {
  const bytes = buffer.subarray(from, to)
  // What another transport is delivering is read over just as soon, and cannot be held back.
  if (delivered?.bytes !== buffer) return kept(engine, isLent(buffer) ? Buffer.from(bytes) : bytes)
  if (engine.much.scarce) return kept(engine, Buffer.from(bytes))
  delivered.hold()
  return { holder: delivered, address: delivered.address + from, length: to - from }
}

const kept = ({ calls }: Engine, bytes: Buffer): Outgoing => ({
  holder: new Kept(bytes),
  address: Number(calls.addressOf(bytes)),
  length: bytes.length,
})

/** Bytes that are nobody else's, for as long as they are being sent. */
class Kept implements Holder {
  bytes: Buffer | undefined

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  letGo(): void {
    this.bytes = undefined
  }
}
