/**
 * How a CA calls a certificate when it is asked about its renewal (RFC 9773 §4.1): the key identifier of who
 * signed it and its serial number, as they stand in it. Node does not tell the first, so the certificate
 * is walked down to it (RFC 5280 §4.1, X.690 §8.1).
 */
import { X509Certificate } from 'node:crypto'

interface Element {
  readonly tag: number
  readonly content: Buffer
  /** Where the next one begins. */
  readonly end: number
}

const TAG_SEQUENCE = 0x30
const TAG_INTEGER = 0x02
const TAG_OBJECT_ID = 0x06
const TAG_OCTETS = 0x04
/** Of TBSCertificate: `[3] extensions`. */
const TAG_EXTENSIONS = 0xa3
/** Of AuthorityKeyIdentifier: `[0] keyIdentifier`. */
const TAG_KEY_ID = 0x80
/** 2.5.29.35 (RFC 5280 §4.2.1.1). */
const AUTHORITY_KEY_ID = Buffer.from('551d23', 'hex')

/** Undefined for a certificate that does not name its authority's key. `pem`: a chain or a certificate. */
export const certificateIdOf = (pem: string): string | undefined => {
  try {
    const [certificate] = elementsOf(new X509Certificate(pem).raw)
    const [body] = elementsOf(expectTag(certificate, TAG_SEQUENCE))
    const fields = elementsOf(expectTag(body, TAG_SEQUENCE))
    const serial = fields.find(({ tag }) => tag === TAG_INTEGER)
    const authority = authorityKeyOf(fields)
    if (serial === undefined || authority === undefined) return undefined
    return `${authority.toString('base64url')}.${serial.content.toString('base64url')}`
  } catch (error) {
    // It ends before it should, or is something else.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

const authorityKeyOf = (fields: readonly Element[]): Buffer | undefined => {
  const all = fields.find(({ tag }) => tag === TAG_EXTENSIONS)
  if (all === undefined) return undefined
  const [list] = elementsOf(all.content)
  for (const extension of elementsOf(expectTag(list, TAG_SEQUENCE))) {
    const parts = elementsOf(extension.content)
    const isAuthority = parts[0]?.tag === TAG_OBJECT_ID && parts[0].content.equals(AUTHORITY_KEY_ID)
    if (!isAuthority) continue
    const [value] = elementsOf(expectTag(parts.at(-1), TAG_OCTETS))
    const inside = elementsOf(expectTag(value, TAG_SEQUENCE))
    return inside.find(({ tag }) => tag === TAG_KEY_ID)?.content
  }
  return undefined
}

const expectTag = (element: Element | undefined, tag: number): Buffer => {
  if (element?.tag === tag) return element.content
  throw new RangeError('A certificate has another form.')
}

const elementsOf = (bytes: Buffer): readonly Element[] => {
  const elements: Element[] = []
  for (let at = 0; at < bytes.length;) {
    const element = elementAt(bytes, at)
    elements.push(element)
    at = element.end
  }
  return elements
}

const elementAt = (bytes: Buffer, at: number): Element => {
  const short = bytes.readUInt8(at + 1)
  const more = short < 0x80 ? 0 : short & 0x7f
  const begin = at + 2 + more
  const end = begin + (more === 0 ? short : bytes.readUIntBE(at + 2, more))
  if (end > bytes.length) throw new RangeError('A certificate ends too early.')
  return { tag: bytes.readUInt8(at), content: bytes.subarray(begin, end), end }
}
