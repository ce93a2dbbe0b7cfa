/**
 * Just enough of the DNS on the wire (RFC 1035 §4) to change one TXT record by a signed update: questions
 * and updates are written, and of answers the code and the zone are read.
 */
import { createHmac } from 'node:crypto'
import type { TransactionAlgorithm, TransactionKey } from './dns-settings.ts'

export interface DnsAnswer {
  readonly id: number
  /** `NOERROR`, `REFUSED`, …, or its number. */
  readonly code: string
  /** The owner of the first SOA record: the zone that the name in question belongs to. */
  readonly zone: string | undefined
}

export interface TextChange {
  readonly id: number
  readonly zone: string
  readonly kind: 'add' | 'remove'
  readonly name: string
  readonly text: string
}

const HEADER_BYTES = 12
const TYPE_SOA = 6
const TYPE_TXT = 16
const TYPE_TSIG = 250
const CLASS_IN = 1
const CLASS_NONE = 254
const CLASS_ANY = 255
const OPCODE_UPDATE = 5 << 11
/** Nobody should keep a challenge for longer than the CA needs to see it. */
const TTL_SECONDS = 60
/** How far the clocks of client and server may be apart: what RFC 8945 §10 recommends. */
const FUDGE_SECONDS = 300
const LABEL_BYTES_MAX = 63
const TEXT_BYTES_MAX = 255
/** A name that is longer than this in pointers leads in a circle (RFC 1035 §4.1.4). */
const POINTERS_MAX = 20
const CODES = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
]

/** Asks for the SOA record of a name; the answer or its authority section holds that of the zone. */
export const writeZoneQuestion = (id: number, name: string): Buffer =>
  Buffer.concat([header(id, 0, [1, 0, 0, 0]), writeName(name), numbers(TYPE_SOA, CLASS_IN)])

/**
 * Adds a text to what a name has, or takes that one text away (RFC 2136 §2.5.1 and §2.5.4). `atSeconds`
 * is Unix time, which the signature holds at. Throws a `RangeError` for a name or a text that is too long.
 */
export const writeUpdate = (
  { id, zone, kind, name, text }: TextChange,
  key: TransactionKey | undefined,
  atSeconds: number,
): Buffer => {
  const data = Buffer.from(text, 'latin1')
  if (data.length > TEXT_BYTES_MAX) throw new RangeError('A text of a TXT record is too long.')
  const zoneSection = Buffer.concat([writeName(zone), numbers(TYPE_SOA, CLASS_IN)])
  const record = Buffer.concat([
    writeName(name),
    numbers(TYPE_TXT, kind === 'add' ? CLASS_IN : CLASS_NONE, 0, kind === 'add' ? TTL_SECONDS : 0),
    numbers(data.length + 1),
    Buffer.from([data.length]),
    data,
  ])
  const body = Buffer.concat([zoneSection, record])
  const unsigned = Buffer.concat([header(id, OPCODE_UPDATE, [1, 0, 1, 0]), body])
  if (key === undefined) return unsigned
  const signed = Buffer.concat([header(id, OPCODE_UPDATE, [1, 0, 1, 1]), body])
  return Buffer.concat([signed, signature(unsigned, id, key, atSeconds)])
}

/** Undefined for what is no answer. */
export const readAnswer = (message: Buffer): DnsAnswer | undefined => {
  try {
    const id = message.readUInt16BE(0)
    const code = message.readUInt16BE(2) & 0xf
    const [questions, answers, authorities] = [4, 6, 8].map((at) => message.readUInt16BE(at))
    let at = HEADER_BYTES
    for (let left = questions ?? 0; left > 0; left--) at = readName(message, at).end + 4
    for (let left = (answers ?? 0) + (authorities ?? 0); left > 0; left--) {
      const { name, end } = readName(message, at)
      if (message.readUInt16BE(end) === TYPE_SOA) return { id, code: codeName(code), zone: name }
      at = end + 10 + message.readUInt16BE(end + 8)
    }
    return { id, code: codeName(code), zone: undefined }
  } catch (error) {
    // It reads past its end, or in circles.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

const codeName = (code: number): string => CODES[code] ?? `code ${code}`

const header = (id: number, flags: number, counts: readonly number[]): Buffer =>
  numbers(id, flags, ...counts)

/** 16 bits each, in the order of the network. */
const numbers = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2)
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2)
  return bytes
}

const writeName = (name: string): Buffer => {
  const labels = name.toLowerCase().replace(/\.$/, '').split('.')
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'latin1')
    if (bytes.length === 0 || bytes.length > LABEL_BYTES_MAX) {
      throw new RangeError(`"${name}" is no name for the DNS.`)
    }
    return Buffer.concat([Buffer.from([bytes.length]), bytes])
  })
  return Buffer.concat([...parts, Buffer.from([0])])
}

const readName = (
  message: Buffer,
  from: number,
): { readonly name: string; readonly end: number } => {
  const labels: string[] = []
  let end: number | undefined
  let at = from
  for (let pointers = 0; ;) {
    const length = message.readUInt8(at)
    if (length === 0) return { name: labels.join('.').toLowerCase(), end: end ?? at + 1 }
    if (length >= 0xc0) {
      if (++pointers > POINTERS_MAX) throw new RangeError('A name leads in a circle.')
      end ??= at + 2
      at = message.readUInt16BE(at) & 0x3f_ff
    } else {
      labels.push(message.toString('latin1', at + 1, at + 1 + length))
      at += 1 + length
    }
  }
}

/** The TSIG record: a MAC over the message without it, and over what the record itself says (RFC 8945 §4.3.3). */
const signature = (
  unsigned: Buffer,
  id: number,
  { name, algorithm, secret }: TransactionKey,
  atSeconds: number,
): Buffer => {
  const time = Buffer.alloc(6)
  time.writeUIntBE(atSeconds, 0, 6)
  const owner = writeName(name)
  const algorithmName = writeName(algorithm)
  const when = Buffer.concat([time, numbers(FUDGE_SECONDS)])
  const noError = numbers(0, 0)
  const mac = createHmac(HASHES[algorithm], secret)
    .update(unsigned)
    .update(Buffer.concat([owner, numbers(CLASS_ANY, 0, 0), algorithmName, when, noError]))
    .digest()
  const data = Buffer.concat([algorithmName, when, numbers(mac.length), mac, numbers(id), noError])
  return Buffer.concat([owner, numbers(TYPE_TSIG, CLASS_ANY, 0, 0, data.length), data])
}

const HASHES: Readonly<Record<TransactionAlgorithm, string>> = {
  'hmac-sha256': 'sha256',
  'hmac-sha384': 'sha384',
  'hmac-sha512': 'sha512',
}
