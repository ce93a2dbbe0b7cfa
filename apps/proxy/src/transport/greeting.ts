/**
 * The beginning of every TLS connection, whatever sockets it is on: the client's first message is
 * collected, its owner chooses, and who is refused is told why in the one form that every client knows.
 */
import { HELLO_BYTES_MAX, readClientHello, type ClientHello } from './client-hello.ts'
import {
  TLS_ALERT,
  type HandshakeFailure,
  type TlsAlert,
  type TlsChoice,
  type TlsTerms,
} from './tls-terms.ts'

export type Greeted =
  | 'incomplete'
  | {
      readonly kind: 'served'
      readonly hello: ClientHello
      readonly choice: Extract<TlsChoice, { kind: 'serve' }>
      /** All that the client has sent: OpenSSL is to read it again. */
      readonly bytes: Buffer
    }
  | {
      readonly kind: 'refused'
      readonly reason: HandshakeFailure
      /** What to write before the connection ends, latin1. */
      readonly farewell: string
    }

export class Greeting {
  readonly #terms: TlsTerms
  #kept: Buffer | undefined

  constructor(terms: TlsTerms) {
    this.#terms = terms
  }

  /** Takes what came. The bytes of its answer are lent: they are the buffer's own where possible. */
  read(buffer: Buffer, length: number): Greeted {
    const bytes =
      this.#kept === undefined
        ? buffer.subarray(0, length)
        : Buffer.concat([this.#kept, buffer.subarray(0, length)])
    const hello = readClientHello(bytes, bytes.length)
    if (hello === 'incomplete' && bytes.length <= HELLO_BYTES_MAX) {
      this.#kept = this.#kept === undefined ? Buffer.from(bytes) : bytes
      return 'incomplete'
    }
    if (hello === 'not-tls') return notTls(bytes)
    if (typeof hello === 'string') return refused('bad-hello', TLS_ALERT.decodeError)
    const choice = this.#terms.choose(hello)
    return choice.kind === 'serve'
      ? { kind: 'served', hello, choice, bytes }
      : refused(choice.reason, choice.alert)
  }
}

/** RFC 8446 §6: a fatal alert, before any keys. */
const refused = (reason: HandshakeFailure, alert: TlsAlert): Greeted => ({
  kind: 'refused',
  reason,
  farewell: `\x15\x03\x03\x00\x02\x02${String.fromCharCode(alert)}`,
})

/** Somebody has typed the wrong scheme: they get a sentence, not a riddle. */
const notTls = (bytes: Buffer): Greeted => ({
  kind: 'refused',
  reason: 'not-tls',
  farewell: /^[A-Z]{3,8} /.test(bytes.toString('latin1', 0, 9)) ? PLAIN_HTTP : '',
})

const SENTENCE = 'this port speaks HTTPS, and the request came as plain HTTP\n'
const PLAIN_HTTP =
  `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n` +
  `Content-Length: ${SENTENCE.length}\r\nConnection: close\r\n\r\n${SENTENCE}`
