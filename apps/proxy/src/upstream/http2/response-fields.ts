/**
 * A field block of a target as lines of HTTP/1.1, for the parser that reads the heads of every target:
 * it decides what passes. Here a block is only held to the form that HTTP/2 has (RFC 9113 §8.3.2), and
 * to what can be said in lines without saying something else.
 */
import { STATUS_CODES } from '../../node-http.ts'
import { HEAD_BYTES_MAX } from '../../http/limits.ts'
import type { Field } from '../../http2/field.ts'
import type { BlockSink } from '../../http2/frames-in.ts'

export class ResponseFields implements BlockSink {
  /** 0: the block has none, as that of trailers. */
  status = 0
  /** As stated; undefined for nothing stated. */
  length: string | undefined
  /** Each with its CRLF. */
  lines = ''
  malformed = false

  begin(): void {
    this.status = 0
    this.length = undefined
    this.lines = ''
    this.malformed = false
  }

  onField(field: Field): void {
    // However little a block says it with, it does not get longer than a head may be.
    if (this.malformed || this.lines.length > HEAD_BYTES_MAX) return
    if (field.name === ':status') {
      const isFirst = this.status === 0 && this.lines === ''
      this.malformed = !isFirst || !STATUS.test(field.value)
      this.status = Number(field.value)
      return
    }
    const { kind, line } = field.verdict
    if (kind === 'pseudo' || kind === 'malformed') this.malformed = true
    else {
      if (kind === 'length') this.length = field.value
      this.lines += line
    }
  }

  /** The head without its empty line. */
  get head(): string {
    return `HTTP/1.1 ${this.status} ${STATUS_CODES[this.status] ?? ''}\r\n${this.lines}`
  }
}

const STATUS = /^[1-5]\d\d$/
