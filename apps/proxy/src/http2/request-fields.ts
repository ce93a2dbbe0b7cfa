/**
 * The fields of a request in HTTP/2, brought to the head that HTTP/1.1 would have sent. That goes through
 * the same reader as every other head, so there is one set of rules for both; what HTTP/2 says about the
 * form of fields must hold before (field.ts), and about them all together here (RFC 9113 §8.3).
 */
import { randomBytes } from 'node:crypto'
import { HEAD_BYTES_MAX } from '../http/limits.ts'
import { AUTHORITY, METHOD, PATH, PROTOCOL, SCHEME, type Field } from './field.ts'
import type { FieldSink } from './hpack/decoder.ts'

export type RequestText =
  | { readonly kind: 'head'; readonly text: string }
  /** RFC 9113 §8.1.1: a stream error. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'too-large' }
  /** An extended CONNECT (RFC 8441) for another protocol than WebSocket. */
  | { readonly kind: 'unknown-protocol' }

/** Reused from request to request. */
export class RequestFields implements FieldSink {
  #method = ''
  #path = ''
  #authority = ''
  #protocol = ''
  #host = ''
  #cookies = ''
  #lines = ''
  #hasLength = false
  /** Which pseudo-fields there were. */
  #pseudos = 0
  #malformed = false
  /** A regular field has come, behind which none of the others may. */
  #regular = false
  #bytes = 0

  begin(): void {
    this.#method = ''
    this.#path = ''
    this.#authority = ''
    this.#protocol = ''
    this.#host = ''
    this.#cookies = ''
    this.#lines = ''
    this.#hasLength = false
    this.#pseudos = 0
    this.#malformed = false
    this.#regular = false
    this.#bytes = 0
  }

  onField(field: Field): void {
    const { name, value } = field
    this.#bytes += name.length + value.length + LINE_OVERHEAD_BYTES
    // A few octets can ask for one long field again and again: nothing is put together any more.
    if (this.#bytes > HEAD_BYTES_MAX) return
    const { kind, bit, line } = field.verdict
    if (kind === 'pseudo') {
      this.#notePseudo(bit, value)
      return
    }
    this.#regular = true
    switch (kind) {
      case 'line':
        this.#lines += line
        return
      case 'length':
        this.#hasLength = true
        this.#lines += line
        return
      case 'cookie':
        // RFC 9113 §8.2.3: cut up for compression, and to be put together again.
        this.#cookies += this.#cookies === '' ? value : `; ${value}`
        return
      case 'host':
        if (this.#host !== '') this.#malformed = true
        this.#host = value
        return
      case 'malformed':
        this.#malformed = true
        return
    }
  }

  /** Whether they may be trailers: none of them is malformed, or a pseudo-field (RFC 9113 §8.1). */
  get areTrailers(): boolean {
    return !this.#malformed && this.#pseudos === 0 && this.#bytes <= HEAD_BYTES_MAX
  }

  /** What they come to. `ends`: the stream has no content. */
  text(ends: boolean): RequestText {
    if (this.#malformed) return MALFORMED
    if (this.#bytes > HEAD_BYTES_MAX) return TOO_LARGE
    if (this.#method === 'CONNECT') return this.#connectText()
    const isWhole = this.#method !== '' && this.#isAddressed && !this.#has(PROTOCOL)
    if (!isWhole) return MALFORMED
    const framing = ends || this.#hasLength ? '' : 'transfer-encoding: chunked\r\n'
    return { kind: 'head', text: this.#head(this.#method, this.#path, framing) }
  }

  /** RFC 8441 §4; without a protocol RFC 9113 §8.5, which the rules for methods refuse. */
  #connectText(): RequestText {
    if (!this.#has(PROTOCOL)) {
      const isPlain = !this.#has(SCHEME) && !this.#has(PATH) && this.#authority !== ''
      return isPlain ? { kind: 'head', text: this.#head('CONNECT', '/', '') } : MALFORMED
    }
    if (!this.#isAddressed || this.#hasLength) return MALFORMED
    if (this.#protocol !== 'websocket') return UNKNOWN_PROTOCOL
    const key = randomBytes(WEBSOCKET_KEY_BYTES).toString('base64')
    const upgrade = `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ${key}\r\n`
    return { kind: 'head', text: this.#head('GET', this.#path, upgrade) }
  }

  /** RFC 9113 §8.3.1: scheme and path, and an authority that nothing contradicts. */
  get #isAddressed(): boolean {
    const agrees =
      this.#host === '' ||
      this.#authority === '' ||
      this.#host.toLowerCase() === this.#authority.toLowerCase()
    return agrees && this.#has(SCHEME) && this.#has(PATH)
  }

  #has(bit: number): boolean {
    return (this.#pseudos & bit) !== 0
  }

  #head(method: string, path: string, more: string): string {
    const authority = this.#authority === '' ? this.#host : this.#authority
    const host = authority === '' ? '' : `host: ${authority}\r\n`
    const cookie = this.#cookies === '' ? '' : `cookie: ${this.#cookies}\r\n`
    return `${method} ${path} HTTP/1.1\r\n${host}${this.#lines}${cookie}${more}\r\n`
  }

  /** RFC 9113 §8.3: each at most once, and before all others. */
  #notePseudo(bit: number, value: string): void {
    if (this.#regular || this.#has(bit)) this.#malformed = true
    this.#pseudos |= bit
    if (bit === METHOD) this.#method = value
    else if (bit === PATH) this.#path = value
    else if (bit === AUTHORITY) this.#authority = value
    else if (bit === PROTOCOL) this.#protocol = value
  }
}

const MALFORMED: RequestText = { kind: 'malformed' }
const TOO_LARGE: RequestText = { kind: 'too-large' }
const UNKNOWN_PROTOCOL: RequestText = { kind: 'unknown-protocol' }
const LINE_OVERHEAD_BYTES = ': \r\n'.length
const WEBSOCKET_KEY_BYTES = 16
