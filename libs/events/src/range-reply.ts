/**
 * Reads the replies of XRANGE as they come over the wire. The client can read every kind of reply, and
 * takes a quarter of a long replay for it; here is only what a list of entries is made of, and an entry
 * costs two slices of a text.
 */
import { isAscii } from 'node:buffer'
import type { RawEntry } from './entries.ts'

/**
 * Takes what has come, in pieces of any size, and returns the reply once it is whole: then it is ready for
 * the next one. Throws when it is anything else than entries, which an error of Redis is too.
 */
export type RangeReplyReader = (piece: Buffer) => readonly RawEntry[] | undefined

export const createRangeReplyReader = (): RangeReplyReader => {
  let rest: Buffer = NOTHING
  let expected: number | undefined
  let entries: RawEntry[] = []
  return (piece) => {
    const cursor = cursorOf(rest.length === 0 ? piece : Buffer.concat([rest, piece]))
    expected ??= listLength(cursor)
    for (let missing = (expected ?? 0) - entries.length; missing > 0; missing--) {
      const start = cursor.at
      const entry = entryAt(cursor)
      if (entry === undefined) {
        cursor.at = start
        break
      }
      entries.push(entry)
    }
    rest = cursor.bytes.subarray(cursor.at)
    if (entries.length !== expected) return undefined
    const reply = entries
    expected = undefined
    entries = []
    return reply
  }
}

const NOTHING = Buffer.alloc(0)

/** Everything below reads from `at` and moves it, or returns undefined: then there is not enough yet. */
interface Cursor {
  readonly bytes: Buffer
  /** One character per byte. */
  readonly text: string
  /** Slices of the text are the very strings that were meant. */
  readonly ascii: boolean
  at: number
}

const cursorOf = (bytes: Buffer): Cursor => ({
  bytes,
  text: bytes.toString('latin1'),
  ascii: isAscii(bytes),
  at: 0,
})

const entryAt = (cursor: Cursor): RawEntry | undefined => {
  if (listLength(cursor) === undefined) return undefined
  const id = stringAt(cursor)
  const count = id === undefined ? undefined : listLength(cursor)
  if (id === undefined || count === undefined) return undefined
  const fields: string[] = []
  while (fields.length < count) {
    const field = stringAt(cursor)
    if (field === undefined) return undefined
    fields.push(field)
  }
  return [id, fields]
}

const listLength = (cursor: Cursor): number | undefined => lengthAt(cursor, '*')

const stringAt = (cursor: Cursor): string | undefined => {
  const length = lengthAt(cursor, '$')
  if (length === undefined) return undefined
  const { bytes, text, ascii, at: start } = cursor
  const end = start + length
  if (end + LINE_END.length > text.length) return undefined
  cursor.at = end + LINE_END.length
  return ascii ? text.slice(start, end) : bytes.toString('utf8', start, end)
}

/** A line of its own: the kind of what follows, and how much of it there is. */
const lengthAt = (cursor: Cursor, kind: '*' | '$'): number | undefined => {
  const { text, at } = cursor
  if (at < text.length && text[at] !== kind) throw unexpected(text, at)
  let length = 0
  let end = at + 1
  for (; end < text.length; end++) {
    const digit = text.charCodeAt(end) - ZERO
    if (digit < 0 || digit > 9) break
    length = length * 10 + digit
  }
  if (end + LINE_END.length > text.length) return undefined
  if (!text.startsWith(LINE_END, end)) throw unexpected(text, at)
  cursor.at = end + LINE_END.length
  return length
}

const LINE_END = '\r\n'
const ZERO = 48
const SHOWN_CHARACTERS = 60

const unexpected = (text: string, at: number): TypeError =>
  new TypeError(`"${text.slice(at, at + SHOWN_CHARACTERS)}" where entries were expected`)
