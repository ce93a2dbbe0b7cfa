/** Reads entries of a stream over a connection of its own, one question at a time. */
import type { RawEntry } from './entries.ts'
import { createRangeReplyReader } from './range-reply.ts'
import type { RedisLink } from './redis.ts'

export interface RangeReader {
  /**
   * At most so many entries from an id on, `(` before it to begin after it. Throws when the connection is
   * lost or silent, or answers with anything but entries; then nothing more is to be had from it.
   */
  readonly read: (from: string, entriesMax: number) => Promise<readonly RawEntry[]>
  readonly close: () => void
}

/** Undefined where no single connection leads to everything. Throws when none can be made. */
export const openRangeReader = async (
  link: RedisLink,
  key: string,
): Promise<RangeReader | undefined> => {
  const opened = await link.openStream('read')
  if (opened === undefined) return undefined
  const { stream, close } = opened
  const replyOf = createRangeReplyReader()
  let asked: PromiseWithResolvers<readonly RawEntry[]> | undefined
  let lost: Error | undefined

  const lose = (why: Error): void => {
    lost ??= why
    asked?.reject(lost)
    asked = undefined
    close()
  }
  stream.on('data', (piece: Buffer) => {
    try {
      const reply = replyOf(piece)
      if (reply === undefined) return
      asked?.resolve(reply)
      asked = undefined
    } catch (error) {
      lose(new Error('the connection cannot be understood', { cause: error }))
    }
  })
  stream.once('close', () => lose(new Error('the connection was lost')))

  return {
    read: async (from, entriesMax) => {
      if (lost !== undefined) throw lost
      asked = Promise.withResolvers()
      stream.write(commandOf('XRANGE', key, from, '+', 'COUNT', String(entriesMax)))
      return asked.promise
    },
    close,
  }
}

const commandOf = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
