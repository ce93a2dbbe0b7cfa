/**
 * Heads of ours as field blocks (RFC 7541), as latin1 text: one character an octet. The lines of a head
 * come as one text, and most heads of a target have lines that came before; so each line is worked out
 * once for the whole process, and a connection only asks its table where it has the line already.
 *
 * What is told apart by nobody but its owner is never put into a table (RFC 7541 §7.1.3), and what is
 * another for every answer is not worth it.
 */
import { KnownHeads } from '../../http/known-heads.ts'
import { CRLF } from '../../http/syntax.ts'
import { encodeHuffman, huffmanLength } from './huffman.ts'
import {
  ENTRY_OVERHEAD_BYTES,
  STATIC_TABLE,
  TABLE_BYTES_DEFAULT,
  staticIndexOf,
} from './static-table.ts'

export class HpackEncoder {
  /** Each line of the table, with its number: the first that was ever put in has 0. */
  readonly #numbers = new Map<string, number>()
  /** The same, oldest first. */
  readonly #lines: Line[] = []
  #inserted = 0
  #tableBytes = 0
  #tableBytesMax = TABLE_BYTES_DEFAULT
  /** The client is to be told of another size: the smallest it has been meanwhile. */
  #resizedTo: number | undefined
  #lastFields = ''
  #lastInserted = -1
  #lastBlock = ''

  /** The client's SETTINGS_HEADER_TABLE_SIZE; of a larger one than the usual we make no use. */
  resize(bytesMax: number): void {
    const size = Math.min(bytesMax, TABLE_BYTES_DEFAULT)
    if (size === this.#tableBytesMax) return
    this.#tableBytesMax = size
    this.#resizedTo = Math.min(size, this.#resizedTo ?? size)
    this.#evictTo(size)
    this.#lastInserted = -1
  }

  /** A head: `fields` are lines, each with its CRLF; `contentLength` is left out when negative. */
  head(status: number, contentLength: number, fields: string): string {
    const length = contentLength < 0 ? '' : LENGTH_NAME + stringOf(String(contentLength))
    return this.#resizing() + statusOf(status) + length + this.#fields(fields)
  }

  /**
   * The head of a request: its pseudo-fields, and lines, each with its CRLF. The `kept` ones are those of a
   * client, which come again and again all together; `own` differ in some.
   */
  request(
    { method, scheme, authority, path }: RequestPseudoFields,
    kept: string,
    own: string,
  ): string {
    let block =
      this.#resizing() +
      pseudoOf(':method', method) +
      pseudoOf(':scheme', scheme) +
      pseudoOf(':path', path) +
      this.#line(ownLineOf(`:authority:${authority}`)) +
      this.#fields(kept)
    let at = 0
    while (at < own.length) {
      const end = own.indexOf(CRLF, at)
      const line = own.slice(at, end)
      block += passingOf(line) ?? this.#line(ownLineOf(line))
      at = end + CRLF.length
    }
    return block
  }

  /** Lines alone: trailers. */
  trailers(fields: string): string {
    return this.#resizing() + this.#fields(fields)
  }

  #fields(fields: string): string {
    if (fields === this.#lastFields && this.#inserted === this.#lastInserted) return this.#lastBlock
    const insertedBefore = this.#inserted
    let block = ''
    for (const line of linesOf(fields)) block += this.#line(line)
    if (this.#inserted === insertedBefore) {
      this.#lastFields = fields
      this.#lastInserted = insertedBefore
      this.#lastBlock = block
    }
    return block
  }

  #line(line: Line): string {
    if (line.bytes === 0) return line.literal
    const number = this.#numbers.get(line.key)
    if (number !== undefined) {
      return integerOf(STATIC_TABLE.length + this.#inserted - number, 7, 0x80)
    }
    if (line.bytes > this.#tableBytesMax) return line.literal
    this.#evictTo(this.#tableBytesMax - line.bytes)
    this.#numbers.set(line.key, this.#inserted)
    this.#lines.push(line)
    this.#inserted += 1
    this.#tableBytes += line.bytes
    return line.indexed
  }

  #evictTo(bytes: number): void {
    while (this.#tableBytes > bytes) {
      const oldest = this.#lines.shift()
      if (oldest === undefined) return
      this.#numbers.delete(oldest.key)
      this.#tableBytes -= oldest.bytes
    }
  }

  /** RFC 7541 §4.2: the smallest size first, when it has grown again since. */
  #resizing(): string {
    const smallest = this.#resizedTo
    if (smallest === undefined) return ''
    this.#resizedTo = undefined
    const update = integerOf(this.#tableBytesMax, 5, 0x20)
    return smallest === this.#tableBytesMax ? update : integerOf(smallest, 5, 0x20) + update
  }
}

export interface RequestPseudoFields {
  readonly method: string
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly path: string
}

/** One line of a head, as it may be written. */
interface Line {
  readonly key: string
  /** What it takes of a table; 0 for one that is kept out of it. */
  readonly bytes: number
  /** The field itself, for the table and for this time alone. */
  readonly indexed: string
  readonly literal: string
}

/** The lines of a head: most heads come again, and of those that do not most lines. */
const linesOf = (fields: string): readonly Line[] => {
  const known = KNOWN_HEADS.find(fields)
  if (known !== undefined) return known
  KNOWN_HEADS.notice(fields)
  return readLines(fields)
}

const readLines = (fields: string): readonly Line[] => {
  const lines: Line[] = []
  let at = 0
  for (let to = fields.indexOf(CRLF); to >= 0; to = fields.indexOf(CRLF, at)) {
    lines.push(knownLine(fields.slice(at, to)))
    at = to + CRLF.length
  }
  return lines
}

const knownLine = (text: string): Line => {
  const known = KNOWN_LINES.find(text)
  if (known !== undefined) return known
  KNOWN_LINES.notice(text)
  return readLine(text)
}

/** Only SP and HTAB are white space here: `trim` would take octets of UTF-8 as well. */
const readLine = (text: string): Line => {
  const colon = text.indexOf(':')
  const value = text.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
  return lineOf(text.slice(0, colon).toLowerCase(), value)
}

const KNOWN_HEADS = new KnownHeads(readLines)
const KNOWN_LINES = new KnownHeads(readLine)

/** As it is, and in no table: it is another for every request, and to work it out would be for once. */
const passingOf = (line: string): string | undefined => {
  const nameTo = line.indexOf(':')
  const name = PASSING_NAMES.get(line.slice(0, nameTo))
  if (name === undefined) return undefined
  const value = line.slice(nameTo + ': '.length)
  return name + integerOf(value.length, 7, 0) + value
}

/** All others of our own are few, and each is known by itself. */
const ownLineOf = (text: string): Line => {
  const known = OWN_LINES.get(text)
  if (known !== undefined) return known
  const colon = text.indexOf(':', 1)
  const line = lineOf(text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim())
  if (line.bytes > 0) {
    if (OWN_LINES.size === OWN_LINES_MAX) OWN_LINES.clear()
    // A copy of its own: a slice would keep alive the head that it was read from.
    OWN_LINES.set(Buffer.from(text, 'latin1').toString('latin1'), line)
  }
  return line
}

const OWN_LINES = new Map<string, Line>()
const OWN_LINES_MAX = 1_024

/** It is in the static table, or its name is. */
const pseudoOf = (name: string, value: string): string =>
  PSEUDO_BLOCKS.get(value) ?? integerOf(staticIndexOf(name), 4, 0) + stringOf(value)

const lineOf = (name: string, value: string): Line => {
  const index = staticIndexOf(name)
  const nameLiteral = index === 0 ? stringOf(name) : ''
  const isSecret = NEVER_INDEXED.has(name)
  const written = nameLiteral + stringOf(value)
  const isKept = !isSecret && !NOT_WORTH_IT.has(name) && value.length <= KEPT_CHARACTERS_MAX
  return {
    key: `${name}:${value}`,
    bytes: isKept ? name.length + value.length + ENTRY_OVERHEAD_BYTES : 0,
    indexed: integerOf(index, 6, 0x40) + written,
    literal: integerOf(index, 4, isSecret ? 0x10 : 0) + written,
  }
}

const NEVER_INDEXED: ReadonlySet<string> = new Set(['set-cookie', 'cookie', 'authorization'])
const NOT_WORTH_IT: ReadonlySet<string> = new Set([
  'age',
  'content-length',
  'content-range',
  'etag',
  'grpc-timeout',
  'if-modified-since',
  'if-none-match',
  'last-modified',
  'location',
  'range',
  'traceparent',
  'x-forwarded-for',
  'x-request-id',
  'x-request-start',
])
const KEPT_CHARACTERS_MAX = 512

/** RFC 7541 §5.1: `bits` are what stands before the integer in its first octet. */
const integerOf = (value: number, prefixBits: number, bits: number): string => {
  const limit = (1 << prefixBits) - 1
  if (value < limit) return String.fromCharCode(bits | value)
  let text = String.fromCharCode(bits | limit)
  let left = value - limit
  for (; left >= 0x80; left >>>= 7) text += String.fromCharCode((left & 0x7f) | 0x80)
  return text + String.fromCharCode(left)
}

/** RFC 7541 §5.2, in the shorter of its two forms. */
const stringOf = (text: string): string => {
  const length = huffmanLength(text)
  return length < text.length
    ? integerOf(length, 7, 0x80) + encodeHuffman(text)
    : integerOf(text.length, 7, 0) + text
}

const statusOf = (status: number): string => {
  const known = STATUS_BLOCKS.get(status)
  if (known !== undefined) return known
  const place = STATIC_TABLE.findIndex(
    ([name, value]) => name === ':status' && value === String(status),
  )
  const block =
    place >= 0
      ? integerOf(place + 1, 7, 0x80)
      : integerOf(staticIndexOf(':status'), 4, 0) + stringOf(String(status))
  STATUS_BLOCKS.set(status, block)
  return block
}

/** There are five hundred at most. */
const STATUS_BLOCKS = new Map<number, string>()
const LENGTH_NAME = integerOf(staticIndexOf('content-length'), 4, 0)

/** As forward-head.ts spells them. */
const PASSING_NAMES = new Map(
  ['X-Forwarded-For', 'X-Request-Start', 'X-Request-ID'].map((name): [string, string] => [
    name,
    integerOf(0, 4, 0) + stringOf(name.toLowerCase()),
  ]),
)

/** By value alone: no method is a scheme, and no path either of them. */
const PSEUDO_BLOCKS = new Map(
  STATIC_TABLE.flatMap(([name, value], place): [string, string][] =>
    name.startsWith(':') && name !== ':status' && value !== ''
      ? [[value, integerOf(place + 1, 7, 0x80)]]
      : [],
  ),
)
