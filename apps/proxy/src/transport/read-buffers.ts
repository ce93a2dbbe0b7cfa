/**
 * What sockets read into. All of them share one buffer, because whatever is read is dealt with before
 * the next read; an idle connection then costs no buffer at all. A socket through which much flows
 * gets one of its own, so that a write which the kernel does not take at once can keep it instead of
 * copying: it is given back when the reader and every such write have let go of it.
 */

/** Large enough for a head and a body of 64 KiB in one read; and large reads are what is cheap. */
export const READ_BYTES_MAX = 262_144

/** Own buffers at a time, 32 MiB in all. Beyond, sockets go on with the shared one, and copy. */
const OWN_BUFFERS_MAX = 128

export class ReadBuffer {
  readonly bytes = Buffer.allocUnsafeSlow(READ_BYTES_MAX)
  /** The reader, and the writes under way. */
  holders = 0
}

/** What every socket reads into at first. Nobody may keep it. */
export const SHARED = new ReadBuffer()

/**
 * The bytes of a read that is being delivered, by whatever transport. Only they are read over as soon as
 * the owner returns: any others stay as they are for as long as somebody has them.
 */
export const delivery: {
  bytes: Buffer | undefined
  /** Who has them, where that is one of ours. */
  holder: ReadBuffer | undefined
} = { bytes: undefined, holder: undefined }

/** Whether somebody who keeps these bytes needs a copy of them, or a hold on their buffer. */
export const isLent = (bytes: Buffer): boolean => delivery.bytes === bytes

/** A buffer with one holder; undefined when there are too many already. */
export const takeBuffer = (): ReadBuffer | undefined => {
  const buffer = free.pop() ?? (made < OWN_BUFFERS_MAX ? make() : undefined)
  if (buffer !== undefined) buffer.holders = 1
  return buffer
}

export const letGo = (buffer: ReadBuffer): void => {
  if (buffer === SHARED) return
  buffer.holders -= 1
  if (buffer.holders === 0) free.push(buffer)
}

const free: ReadBuffer[] = []
let made = 0

const make = (): ReadBuffer => {
  made += 1
  return new ReadBuffer()
}
