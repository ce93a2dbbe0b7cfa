import { describe, expect, it } from 'vitest'
import type { RawEntry } from './entries.ts'
import { createRangeReplyReader } from './range-reply.ts'

const wireOf = (entries: readonly RawEntry[]): Buffer => Buffer.from(listOf(entries.map(entryOf)))

const entryOf = ([id, fields]: RawEntry): string =>
  listOf([stringOf(id), listOf(fields.map(stringOf))])

const listOf = (parts: readonly string[]): string => `*${parts.length}\r\n${parts.join('')}`

const stringOf = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`

const PLAIN: readonly RawEntry[] = [
  ['1-0', ['e', '1700000000000.000 abc {"type":"x"}']],
  ['2-0', ['e', '*2\r\n$3\r\nin the text\r\n']],
]
const ODD: readonly RawEntry[] = [
  ['3-0', ['e', 'größer, 東京, 🚦']],
  ['3-7', ['', 'no name', 'more', '']],
  ['4-0', []],
]

describe('the reader of replies', () => {
  it.each([
    ['plain entries', PLAIN],
    ['a mixture of odd ones', [...PLAIN, ...ODD]],
    ['nothing', []],
  ])('reads %s, wherever the pieces are cut', (_what, entries) => {
    const wire = wireOf(entries)
    for (let cut = 1; cut < wire.length; cut++) {
      const take = createRangeReplyReader()
      expect(take(wire.subarray(0, cut))).toBeUndefined()
      expect(take(wire.subarray(cut))).toStrictEqual(entries)
    }
  })

  it('reads one reply after the other, byte by byte', () => {
    const take = createRangeReplyReader()
    const replies = [PLAIN, [], ODD].flatMap((entries) =>
      [...wireOf(entries)].flatMap((byte) => {
        const reply = take(Buffer.from([byte]))
        return reply === undefined ? [] : [reply]
      }),
    )
    expect(replies).toStrictEqual([PLAIN, [], ODD])
  })

  it.each([
    ['an error', '-NOPERM this user has no permissions\r\n'],
    ['nothing at all', '*-1\r\n'],
    ['a text', '$2\r\nOK\r\n'],
    ['a push', '>2\r\n$1\r\na\r\n$1\r\nb\r\n'],
    ['texts where entries belong', '*1\r\n$2\r\nOK\r\n'],
    ['an entry without an id', '*1\r\n*2\r\n*0\r\n*0\r\n'],
    ['a length that is none', '*1\r\n*2\r\n$x\r\n'],
  ])('refuses %s', (_what, wire) => {
    expect(() => createRangeReplyReader()(Buffer.from(wire))).toThrow('where entries were expected')
  })
})
