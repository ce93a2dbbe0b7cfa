/**
 * The head of a response, with the same strictness as a request's: a target that frames one body in
 * two ways is cut off before its client can be confused (RFC 9112 §6.3). All refusals are 502.
 */
import { parseConnection, withoutFields } from './connection-options.ts'
import { createFieldLine, endsWithItsValue, isSectionEnd, readFieldLine } from './field-line.ts'
import { ruleOfResponseField, type ResponseRule } from './field-rules.ts'
import { NO_LENGTH, isChunkedAt, lengthAt } from './framing.ts'
import { KnownHeads } from './known-heads.ts'
import { FIELDS_MAX, HEAD_BYTES_MAX } from './limits.ts'
import { CR, CRLF, FIELD_VALUE, LF, SPACE, endOf } from './syntax.ts'

/** One mutable object, filled by every parse: read it before the next one. */
export interface ResponseHead {
  /** 100 to 599. */
  status: number
  reason: string
  minorVersion: 0 | 1
  /** Octets that the head states; -1 for none. A 1xx or 204 states none, whatever it says. */
  contentLength: number
  chunked: boolean
  /** The target will take another request on this connection, as far as the head goes. */
  keepAlive: boolean
  /** Upgrade of a 101 or 426, as received; '' for none and for every other status. */
  upgrade: string
  /** The kept lines, each with its CRLF. No framing: that is written anew. */
  fields: string
}

/** Where the body ends (RFC 9112 §6.3). `none`: with the head. */
export type BodyFraming = 'none' | 'length' | 'chunked' | 'until-close'

export const createResponseHead = (): ResponseHead => ({
  status: 0,
  reason: '',
  minorVersion: 1,
  contentLength: NO_LENGTH,
  chunked: false,
  keepAlive: false,
  upgrade: '',
  fields: '',
})

/** Reads the head that `text` begins with into `head`; `end` is what `headEnd` said. */
export const parseResponseHead = (text: string, end: number, head: ResponseHead): 0 | 502 => {
  if (end > HEAD_BYTES_MAX) return 502
  const whole = text.slice(0, end)
  const known = KNOWN_HEADS.find(whole)
  if (known !== undefined) {
    copyHead(known, head)
    return 0
  }
  const refusal = readHead(text, end, head)
  if (refusal === 0) KNOWN_HEADS.notice(whole)
  return refusal
}

const readHead = (text: string, end: number, head: ResponseHead): 0 | 502 => {
  const fieldsFrom = readStatusLine(text, head)
  if (fieldsFrom === REFUSED) return 502
  noted.connection = ''
  noted.upgrade = ''
  head.contentLength = NO_LENGTH
  head.chunked = false
  const accepted = readFields(text, fieldsFrom, end, head) && settleBody(head)
  if (!accepted) return 502
  settleConnection(head)
  return 0
}

/** How the body of this response to a request of that method is framed. */
export const bodyOf = (head: ResponseHead, method: string): BodyFraming => {
  const { status } = head
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none'
  if (head.chunked) return 'chunked'
  if (head.contentLength === NO_LENGTH) return 'until-close'
  return head.contentLength === 0 ? 'none' : 'length'
}

const KNOWN_HEADS = new KnownHeads((text): Readonly<ResponseHead> => {
  const head = createResponseHead()
  readHead(text, text.length, head)
  return head
})

const copyHead = (from: Readonly<ResponseHead>, to: ResponseHead): void => {
  to.status = from.status
  to.reason = from.reason
  to.minorVersion = from.minorVersion
  to.contentLength = from.contentLength
  to.chunked = from.chunked
  to.keepAlive = from.keepAlive
  to.upgrade = from.upgrade
  to.fields = from.fields
}

const REFUSED = -1
const noted = { connection: '', upgrade: '' }
const line = createFieldLine()

/**
 * RFC 9112 §4: `HTTP/1.1 200 OK`. The reason may be missing, and with it, though the grammar wants
 * it, the space before it: many small servers leave out both. The index of the first field line.
 */
const readStatusLine = (text: string, head: ResponseHead): number => {
  if (text.startsWith('HTTP/1.1 ')) head.minorVersion = 1
  else if (text.startsWith('HTTP/1.0 ')) head.minorVersion = 0
  else return REFUSED
  head.status = lengthAt(text, STATUS_FROM, STATUS_TO)
  if (head.status < 100 || head.status > 599) return REFUSED
  const hasReason = text.charCodeAt(STATUS_TO) === SPACE
  const reasonFrom = hasReason ? STATUS_TO + 1 : STATUS_TO
  const reasonTo = hasReason ? endOf(FIELD_VALUE, text, reasonFrom) : STATUS_TO
  if (text.charCodeAt(reasonTo) !== CR || text.charCodeAt(reasonTo + 1) !== LF) return REFUSED
  head.reason = text.slice(reasonFrom, reasonTo)
  return reasonTo + CRLF.length
}

const STATUS_FROM = 'HTTP/1.1 '.length
const STATUS_TO = STATUS_FROM + 3

const readFields = (text: string, from: number, end: number, head: ResponseHead): boolean => {
  const last = end - CRLF.length
  let fields = ''
  let keptFrom = from
  let at = from
  for (let count = 0; at < last; count += 1) {
    if (count === FIELDS_MAX || !readFieldLine(text, at, line)) return false
    const rule = ruleOfResponseField(text, at, line.nameTo - at)
    if (rule !== 'keep') {
      if (!note(rule, text, head)) return false
      if (keptFrom < at) fields += text.slice(keptFrom, at)
      keptFrom = line.next
    }
    at = line.next
  }
  if (!isSectionEnd(text, at, end)) return false
  if (keptFrom < at) fields += text.slice(keptFrom, at)
  head.fields = fields
  return true
}

const note = (rule: Exclude<ResponseRule, 'keep'>, text: string, head: ResponseHead): boolean => {
  switch (rule) {
    case 'drop':
      return true
    case 'content-length':
      if (head.contentLength !== NO_LENGTH || !endsWithItsValue(line)) return false
      head.contentLength = lengthAt(text, line.valueFrom, line.valueTo)
      return head.contentLength !== NO_LENGTH
    case 'transfer-encoding':
      if (head.chunked || !endsWithItsValue(line)) return false
      if (!isChunkedAt(text, line.valueFrom, line.valueTo)) return false
      head.chunked = true
      return true
    case 'connection':
      noted.connection =
        noted.connection === '' ? valueOf(text) : `${noted.connection},${valueOf(text)}`
      return true
    case 'upgrade':
      noted.upgrade = noted.upgrade === '' ? valueOf(text) : `${noted.upgrade}, ${valueOf(text)}`
      return true
  }
}

const valueOf = (text: string): string => text.slice(line.valueFrom, line.valueTo)

/**
 * RFC 9112 §6.1 and §6.3: not both, and no chunks in HTTP/1.0. A 1xx or a 204 has no body and must not
 * speak of one (RFC 9110 §8.6); what it says all the same is read, and not repeated. But where a 1xx
 * announces a body llhttp waits for it, and takes the answer behind it for that.
 */
const settleBody = (head: ResponseHead): boolean => {
  if (head.chunked && (head.contentLength !== NO_LENGTH || head.minorVersion === 0)) return false
  const announces = head.chunked || head.contentLength > 0
  if (announces && head.status < 200 && head.status !== 101) return false
  if (head.status < 200 || head.status === 204) {
    head.contentLength = NO_LENGTH
    head.chunked = false
  }
  return true
}

/** RFC 9112 §9.3. A Connection field that cannot be read is one more reason not to reuse it. */
const settleConnection = (head: ResponseHead): void => {
  head.keepAlive = head.minorVersion === 1
  head.upgrade = ''
  if (noted.connection === '') return
  if (noted.connection === 'keep-alive') {
    head.keepAlive = true
    return
  }
  const options = parseConnection(noted.connection)
  if (options === undefined) {
    head.keepAlive = false
    return
  }
  head.keepAlive = !options.close && (head.keepAlive || options.keepAlive)
  const speaksOfUpgrade = head.status === 101 || head.status === 426
  if (options.upgrade && speaksOfUpgrade) head.upgrade = noted.upgrade
  if (options.nominated.length > 0) head.fields = withoutFields(head.fields, options.nominated)
}
