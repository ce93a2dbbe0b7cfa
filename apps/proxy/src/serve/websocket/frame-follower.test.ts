/** Frames cut wherever the network likes, with the parser of `ws` as the second opinion. */
import { describe, expect, it } from 'vitest'
import * as ws from 'ws'
import { createRandom, type Random } from '../../http/testing/mutation.ts'
import { FrameFollower } from './frame-follower.ts'

const STREAMS = 60

describe('frames, followed', () => {
  it('E1 end where they end, at every split point, as `ws` reads them', () => {
    for (let seed = 1; seed <= STREAMS; seed += 1) {
      const random = createRandom(seed)
      const masked = random(2) === 0
      const { bytes, ends } = frames(random, masked)
      expect(boundariesOf([bytes])).toEqual(ends)
      expect(boundariesOf(cutAt(bytes, (at) => at < 1_000))).toEqual(ends)
      for (const split of splitPoints(bytes, ends)) {
        expect(boundariesOf(cutAt(bytes, (at) => at === split))).toEqual(ends)
      }
      const beforeAndAtEnds = new Set(ends.flatMap((end) => [end - 1, end]))
      const events = eventsOf(
        cutAt(bytes, (at) => beforeAndAtEnds.has(at)),
        masked,
      )
      expect(events.filter((at) => !ends.includes(at))).toEqual([])
    }
  })

  it('are skipped over in one step, however large', () => {
    const follower = new FrameFollower(Infinity)
    follower.follow(Buffer.of(0x82, 127, 0, 0, 0, 0x40, 0, 0, 0, 0), 0, 10)
    const read = Buffer.alloc(65_536)
    const startedAt = performance.now()
    for (let reads = 0; reads < 2 ** 22; reads += 1) follower.follow(read, 0, read.length)
    expect(follower.atBoundary).toBe(true)
    // A look at each of those 256 GiB would take a minute.
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  it('never end when their length is one that nobody can send', () => {
    const follower = new FrameFollower(Infinity)
    follower.follow(Buffer.alloc(10, 0xff), 0, 10)
    for (let reads = 0; reads < 1_000; reads += 1) follower.follow(Buffer.alloc(65_536), 0, 65_536)
    expect(follower.atBoundary).toBe(false)
  })

  it('E6 tell that their sender has closed, once the whole Close has passed', () => {
    const close = Buffer.of(0x88, 0x85, 1, 2, 3, 4, 3 ^ 1, 0xe9 ^ 2, 98, 121, 101)
    const follower = new FrameFollower(Infinity)
    for (let at = 0; at < close.length; at += 1) {
      expect(follower.closed).toBe(false)
      follower.follow(close, at, at + 1)
    }
    expect(follower.closed).toBe(true)
    const empty = new FrameFollower(Infinity)
    empty.follow(Buffer.of(0x88, 0), 0, 2)
    expect(empty.closed).toBe(true)
  })
})

describe('messages that are too large', () => {
  const frame = (first: number, length: number): Buffer =>
    Buffer.concat([Buffer.of(first, 126, length >> 8, length & 0xff), Buffer.alloc(length)])

  it('E13 are stopped before the frame that makes them so, fragments added up', () => {
    const fits = frame(0x01, 600)
    const ping = Buffer.of(0x89, 0)
    const breaks = frame(0x80, 401)
    const bytes = Buffer.concat([fits, ping, breaks])
    const follower = new FrameFollower(1_000)
    expect(follower.follow(bytes, 0, bytes.length)).toBe(fits.length + ping.length)
    expect(follower).toMatchObject({ tooLarge: true, atBoundary: true })
  })

  it('E13 may be as large as they may be, one after the other', () => {
    const bytes = Buffer.concat([frame(0x01, 600), frame(0x80, 400), frame(0x82, 1_000)])
    const follower = new FrameFollower(1_000)
    expect(follower.follow(bytes, 0, bytes.length)).toBe(bytes.length)
    expect(follower.tooLarge).toBe(false)
  })

  it('E13 leave no boundary behind when a part of their header has been sent on', () => {
    const bytes = frame(0x82, 1_001)
    const follower = new FrameFollower(1_000)
    expect(follower.follow(bytes, 0, 3)).toBe(3)
    expect(follower.follow(bytes, 3, bytes.length)).toBe(3)
    expect(follower).toMatchObject({ tooLarge: true, atBoundary: false })
  })
})

/** Data, fragments and control frames in any lawful order, and the offsets at which frames end. */
const frames = (random: Random, masked: boolean) => {
  const parts: Buffer[] = []
  const ends: number[] = []
  let size = 0
  let fragmented = false
  const add = (opcode: number, fin: boolean, length: number): void => {
    const part = Buffer.concat(
      Sender.frame(Buffer.alloc(length, 'x'), { opcode, fin, mask: masked }),
    )
    parts.push(part)
    size += part.length
    ends.push(size)
  }
  for (let left = 1 + random(8); left > 0; left -= 1) {
    if (random(3) === 0) add(9 + random(2), true, random(126))
    else {
      const fin = random(3) > 0
      add(fragmented ? 0 : 2, fin, LENGTHS[random(LENGTHS.length)] ?? 0)
      fragmented = !fin
    }
  }
  return { bytes: Buffer.concat(parts), ends }
}

const LENGTHS = [0, 1, 2, 3, 100, 125, 126, 127, 200, 300, 301, 302, 303, 304, 65_535, 65_536]

/** Everywhere around the ends of frames, so in every header, and in the middle of payloads. */
const splitPoints = (bytes: Buffer, ends: readonly number[]): readonly number[] =>
  [0, ...ends].flatMap((end) =>
    Array.from({ length: 18 }, (_, step) => end + step - 2).filter(
      (at) => at > 0 && at < bytes.length,
    ),
  )

/** After how many bytes a follower is between two frames: each byte that ends one is looked for. */
const boundariesOf = (reads: readonly Buffer[]): readonly number[] => {
  const follower = new FrameFollower(Infinity)
  const boundaries: number[] = []
  let before = 0
  for (const read of reads) {
    for (let at = 0; at < read.length;) {
      at = follower.followFrame(read, at, read.length)
      if (follower.atBoundary) boundaries.push(before + at)
    }
    before += read.length
  }
  return boundaries
}

/** The offsets at which `ws` has read a whole message, ping or pong. */
const eventsOf = (reads: readonly Buffer[], isServer: boolean): readonly number[] => {
  const receiver = new Receiver({ isServer, skipUTF8Validation: true })
  const offsets: number[] = []
  let read = 0
  for (const event of ['message', 'ping', 'pong']) receiver.on(event, () => offsets.push(read))
  receiver.on('error', (error) => {
    throw error
  })
  for (const part of reads) {
    read += part.length
    receiver.write(part)
  }
  return offsets
}

const cutAt = (bytes: Buffer, isCut: (at: number) => boolean): readonly Buffer[] => {
  const parts: Buffer[] = []
  let from = 0
  for (let at = 1; at <= bytes.length; at += 1) {
    if (at < bytes.length && !isCut(at)) continue
    parts.push(bytes.subarray(from, at))
    from = at
  }
  return parts
}

/** Parts of `ws` that its types leave out. */
const { Receiver, Sender } = ws as unknown as {
  readonly Receiver: new (options: {
    isServer: boolean
    skipUTF8Validation: boolean
  }) => NodeJS.WritableStream
  readonly Sender: {
    frame(data: Buffer, options: { opcode: number; fin: boolean; mask: boolean }): Buffer[]
  }
}
