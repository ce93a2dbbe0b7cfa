/**
 * The first message of a TLS client (RFC 8446 §4.1.2), as far as it decides which certificate to show.
 * It is read before OpenSSL is asked, so that a connection for nobody costs next to nothing, and strictly:
 * what OpenSSL could read in another way is refused here.
 */

/** More than any client sends, post-quantum key shares included. */
export const HELLO_BYTES_MAX = 16_384

export interface ClientHello {
  /** As the client wrote it, ASCII; undefined when it names nobody. */
  readonly serverName: string | undefined
  /** What the client would speak, its favourite first; empty when it does not say. */
  readonly applicationProtocols: readonly string[]
}

export type ReadHello = 'incomplete' | 'not-tls' | 'malformed' | ClientHello

/** Reads the `length` bytes that have come so far, from the first one on. */
export const readClientHello = (buffer: Buffer, length: number): ReadHello => {
  const message = handshakeMessage(buffer, length)
  if (typeof message === 'string') return message
  try {
    return helloIn(new Reader(message))
  } catch (error) {
    if (error instanceof RangeError) return 'malformed'
    throw error
  }
}

const RECORD_HEAD_BYTES = 5
const MESSAGE_HEAD_BYTES = 4
const HANDSHAKE_RECORD = 22
const CLIENT_HELLO = 1
const RECORD_BYTES_MAX = 16_384
/** Some split their names to pass by whoever looks for them. More pieces would only cost us time. */
const RECORDS_MAX = 8

/** The body of the first handshake message, which may lie in several records (RFC 8446 §5.1). */
const handshakeMessage = (
  buffer: Buffer,
  length: number,
): Buffer | 'incomplete' | 'not-tls' | 'malformed' => {
  let message: Buffer | undefined
  for (let at = 0, record = 0; record < RECORDS_MAX; record += 1) {
    if (length > at && buffer[at] !== HANDSHAKE_RECORD) return at === 0 ? 'not-tls' : 'malformed'
    if (length > at + 1 && buffer[at + 1] !== TLS_MAJOR) return at === 0 ? 'not-tls' : 'malformed'
    if (length < at + RECORD_HEAD_BYTES) return 'incomplete'
    const bytes = buffer.readUInt16BE(at + 3)
    if (bytes === 0 || bytes > RECORD_BYTES_MAX) return 'malformed'
    const from = at + RECORD_HEAD_BYTES
    const part = buffer.subarray(from, Math.min(length, from + bytes))
    message = message === undefined ? part : Buffer.concat([message, part])
    if (message.length > 0 && message[0] !== CLIENT_HELLO) return 'malformed'
    if (message.length >= MESSAGE_HEAD_BYTES) {
      const end = MESSAGE_HEAD_BYTES + message.readUIntBE(1, 3)
      if (end > HELLO_BYTES_MAX) return 'malformed'
      if (message.length >= end) return message.subarray(MESSAGE_HEAD_BYTES, end)
    }
    at = from + bytes
    if (length < at) return 'incomplete'
  }
  return 'malformed'
}

const TLS_MAJOR = 3

const helloIn = (reader: Reader): ClientHello => {
  // legacy_version and random.
  reader.skip(2 + 32)
  reader.block(1)
  reader.block(2)
  reader.block(1)
  let serverName: string | undefined
  let applicationProtocols: readonly string[] = []
  if (reader.done) return { serverName, applicationProtocols }
  const extensions = reader.block(2)
  const seen = new Set<number>()
  while (!extensions.done) {
    const type = extensions.number(2)
    const extension = extensions.block(2)
    // RFC 8446 §4.2: one of each. Of two names, OpenSSL might take the other.
    if (seen.has(type)) throw new RangeError('an extension comes twice')
    seen.add(type)
    if (type === SERVER_NAME) serverName = serverNameIn(extension)
    else if (type === APPLICATION_PROTOCOLS) applicationProtocols = protocolsIn(extension)
  }
  if (!reader.done) throw new RangeError('something follows the extensions')
  return { serverName, applicationProtocols }
}

const SERVER_NAME = 0
const APPLICATION_PROTOCOLS = 16
const HOST_NAME = 0
const NAME_BYTES_MAX = 255

/** RFC 6066 §3: a list of which only one entry has ever had a meaning. */
const serverNameIn = (extension: Reader): string => {
  const names = extension.block(2)
  const type = names.number(1)
  const name = names.block(2).text()
  const isPlain = type === HOST_NAME && names.done && extension.done && /^[!-~]+$/.test(name)
  if (!isPlain || name.length > NAME_BYTES_MAX) throw new RangeError('no plain name')
  return name
}

/** RFC 7301 §3.1. */
const protocolsIn = (extension: Reader): readonly string[] => {
  const list = extension.block(2)
  const names: string[] = []
  while (!list.done) names.push(list.block(1).text())
  if (!extension.done || names.length === 0 || names.includes('')) {
    throw new RangeError('no protocols')
  }
  return names
}

/** Reads on from where it is; a `RangeError` says that there is less than was announced. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at === this.#bytes.length
  }

  skip(bytes: number): void {
    this.#at += bytes
    if (this.#at > this.#bytes.length) throw new RangeError('it ends too early')
  }

  number(bytes: 1 | 2): number {
    this.skip(bytes)
    return this.#bytes.readUIntBE(this.#at - bytes, bytes)
  }

  /** What lies behind its own length. */
  block(lengthBytes: 1 | 2): Reader {
    const length = this.number(lengthBytes)
    this.skip(length)
    return new Reader(this.#bytes.subarray(this.#at - length, this.#at))
  }

  text(): string {
    return this.#bytes.toString('latin1')
  }
}
