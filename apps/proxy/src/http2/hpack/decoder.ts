/**
 * Field blocks of a client, read (RFC 7541 §3). Whatever a block says, it is read to its end or the
 * connection is over, because the table must stay the one that the client has.
 */
import { Field } from '../field.ts'
import { decodeHuffman } from './huffman.ts'
import { ENTRY_OVERHEAD_BYTES, STATIC_TABLE, TABLE_BYTES_DEFAULT } from './static-table.ts'

export interface FieldSink {
  onField(field: Field): void
}

export class HpackDecoder {
  /** Oldest first. */
  readonly #dynamic: Field[] = []
  #tableBytes = 0
  #tableBytesMax = TABLE_BYTES_DEFAULT
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0
  #to = 0

  /** False for a block that cannot be understood: COMPRESSION_ERROR, and no other can be any more. */
  decode(buffer: Buffer, from: number, to: number, sink: FieldSink): boolean {
    this.#buffer = buffer
    this.#at = from
    this.#to = to
    let mayResize = true
    while (this.#at < this.#to) {
      const first = buffer[this.#at] ?? 0
      if ((first & 0xe0) === 0x20) {
        // RFC 7541 §4.2: only before the first field.
        if (!mayResize || !this.#resize(this.#integer(5))) return false
        continue
      }
      mayResize = false
      const field = first & 0x80 ? this.#fieldAt(this.#integer(7)) : this.#literal(first)
      if (field === undefined) return false
      sink.onField(field)
    }
    return this.#at === this.#to
  }

  #literal(first: number): Field | undefined {
    const isIndexed = (first & 0x40) !== 0
    const nameIndex = this.#integer(isIndexed ? 6 : 4)
    const name = nameIndex === 0 ? this.#string() : this.#fieldAt(nameIndex)?.name
    const value = name === undefined ? undefined : this.#string()
    if (name === undefined || value === undefined) return undefined
    const field = new Field(name, value)
    if (isIndexed) this.#insert(field)
    return field
  }

  #fieldAt(index: number): Field | undefined {
    if (index <= 0) return undefined
    return index <= STATIC_FIELDS.length
      ? STATIC_FIELDS[index - 1]
      : this.#dynamic[this.#dynamic.length - (index - STATIC_FIELDS.length)]
  }

  #insert(field: Field): void {
    const bytes = bytesOf(field)
    this.#evictTo(this.#tableBytesMax - bytes)
    // RFC 7541 §4.4: one that is larger than the table empties it, and is no error.
    if (bytes > this.#tableBytesMax) return
    this.#dynamic.push(field)
    this.#tableBytes += bytes
  }

  #resize(bytesMax: number): boolean {
    if (bytesMax < 0 || bytesMax > TABLE_BYTES_DEFAULT) return false
    this.#tableBytesMax = bytesMax
    this.#evictTo(bytesMax)
    return true
  }

  #evictTo(bytes: number): void {
    while (this.#tableBytes > bytes && this.#dynamic.length > 0) {
      const oldest = this.#dynamic.shift()
      if (oldest !== undefined) this.#tableBytes -= bytesOf(oldest)
    }
  }

  /** RFC 7541 §5.1; -1 for one that does not end here, or is larger than anything we take. */
  #integer(prefixBits: number): number {
    const limit = (1 << prefixBits) - 1
    let value = (this.#buffer[this.#at] ?? 0) & limit
    this.#at += 1
    if (value < limit) return value
    for (let shift = 0; shift <= SHIFT_MAX; shift += 7) {
      if (this.#at >= this.#to) return TRUNCATED
      const octet = this.#buffer[this.#at] ?? 0
      this.#at += 1
      value += (octet & 0x7f) << shift
      if (octet < 0x80) return value
    }
    return TRUNCATED
  }

  /** RFC 7541 §5.2. */
  #string(): string | undefined {
    if (this.#at >= this.#to) return undefined
    const isHuffman = (this.#buffer[this.#at] ?? 0) >= 0x80
    const length = this.#integer(7)
    const from = this.#at
    if (length < 0 || length > this.#to - from) return undefined
    this.#at = from + length
    return isHuffman
      ? decodeHuffman(this.#buffer, from, this.#at)
      : this.#buffer.toString('latin1', from, this.#at)
  }
}

/** RFC 7541 §4.1. */
const bytesOf = ({ name, value }: Field): number =>
  name.length + value.length + ENTRY_OVERHEAD_BYTES

const TRUNCATED = -1
/** Four octets of seven bits: 2^28, more than any string or index may be. */
const SHIFT_MAX = 21

const STATIC_FIELDS: readonly Field[] = STATIC_TABLE.map(([name, value]) => new Field(name, value))
