/**
 * The header fields of a request: each is asked about once (field-rules.ts), kept lines stay slices
 * of the original, and what the others said goes into the head, or into notes that only make sense
 * once all fields are known.
 */
import { createFieldLine, endsWithItsValue, isSectionEnd, readFieldLine } from './field-line.ts'
import { imitatesRuledField, ruleOfRequestField, type RequestRule } from './field-rules.ts'
import { NO_LENGTH, isChunkedAt, lengthAt, namesUnknownCoding } from './framing.ts'
import { FIELDS_MAX } from './limits.ts'
import type { RequestHead, RequestRefusal } from './request.ts'
import { CRLF, listMembers } from './syntax.ts'

/** What a head has said so far that is judged at its end. Reused, like the head itself. */
export interface RequestNotes {
  /** How many Host fields there were, and the last one. */
  hosts: number
  host: string
  /** The authority of a target in absolute form; '' for another form. */
  targetAuthority: string
  /** The values of all Connection and all Upgrade fields, as lists. */
  connection: string
  upgrade: string
}

export const createRequestNotes = (): RequestNotes => ({
  hosts: 0,
  host: '',
  targetAuthority: '',
  connection: '',
  upgrade: '',
})

export const forgetNotes = (notes: RequestNotes): void => {
  notes.hosts = 0
  notes.host = ''
  notes.targetAuthority = ''
  notes.connection = ''
  notes.upgrade = ''
}

/** Reads the field lines from `from` up to the empty line that ends at `end`. */
export const readRequestFields = (
  text: string,
  from: number,
  end: number,
  head: RequestHead,
  notes: RequestNotes,
): 0 | RequestRefusal => {
  const last = end - CRLF.length
  let fields = ''
  let keptFrom = from
  let at = from
  for (let count = 0; at < last; count += 1) {
    if (!readFieldLine(text, at, line)) return 400
    if (count === FIELDS_MAX) return 431
    const rule = ruleOfLine(text, at)
    if (rule !== 'keep') {
      const refusal = note(rule, text, at, head, notes)
      if (refusal !== 0) return refusal
      if (!isForwarded(rule, head)) {
        if (keptFrom < at) fields += text.slice(keptFrom, at)
        keptFrom = line.next
      }
    }
    at = line.next
  }
  if (!isSectionEnd(text, at, end)) return 400
  if (keptFrom < at) fields += text.slice(keptFrom, at)
  head.fields = fields
  return 0
}

const line = createFieldLine()

const ruleOfLine = (text: string, at: number): RequestRule =>
  line.folds && imitatesRuledField(text.slice(at, line.nameTo))
    ? 'drop'
    : ruleOfRequestField(text, at, line.nameTo - at)

/** RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored, its sender could not read a 100. */
const isForwarded = (rule: RequestRule, head: RequestHead): boolean =>
  rule === 'accept' || (rule === 'expect' && head.minorVersion === 1)

const note = (
  rule: Exclude<RequestRule, 'keep'>,
  text: string,
  at: number,
  head: RequestHead,
  notes: RequestNotes,
): 0 | RequestRefusal => {
  switch (rule) {
    case 'drop':
      return 0
    case 'host':
      notes.hosts += 1
      notes.host = valueOf(text)
      return 0
    case 'accept':
      head.accept = join(head.accept, valueOf(text))
      return 0
    case 'connection':
      notes.connection = join(notes.connection, valueOf(text))
      return 0
    case 'content-length':
      return noteLength(text, head)
    case 'transfer-encoding':
      return noteCoding(text, head)
    case 'te':
      head.acceptsTrailers ||= listMembers(valueOf(text)).includes('trailers')
      return 0
    case 'upgrade':
      notes.upgrade = join(notes.upgrade, valueOf(text))
      return 0
    case 'expect':
      return noteExpectation(valueOf(text), head)
    case 'forwarded-for':
      head.forwardedFor = join(head.forwardedFor, valueOf(text))
      return 0
    case 'forwarded-proto':
      head.forwardedProto = valueOf(text)
      return 0
    case 'forwarded-host':
      head.forwardedHost = valueOf(text)
      return 0
    case 'forwarded-other':
      head.forwardedOther += text.slice(at, line.next)
      return 0
    case 'request-id':
      head.requestId = valueOf(text)
      return 0
    case 'request-start':
      head.requestStart = valueOf(text)
      return 0
  }
}

const valueOf = (text: string): string => text.slice(line.valueFrom, line.valueTo)

const join = (list: string, value: string): string => (list === '' ? value : `${list}, ${value}`)

/** RFC 9112 §6.3: one field of digits. A second one is refused even when it says the same. */
const noteLength = (text: string, head: RequestHead): 0 | 400 => {
  if (head.contentLength !== NO_LENGTH || !endsWithItsValue(line)) return 400
  head.contentLength = lengthAt(text, line.valueFrom, line.valueTo)
  return head.contentLength === NO_LENGTH ? 400 : 0
}

/** RFC 9112 §6.1: `chunked`, once. A coding that we do not know is 501, any other play is 400. */
const noteCoding = (text: string, head: RequestHead): 0 | 400 | 501 => {
  if (head.chunked || !endsWithItsValue(line)) return 400
  if (isChunkedAt(text, line.valueFrom, line.valueTo)) {
    head.chunked = true
    return 0
  }
  return namesUnknownCoding(valueOf(text)) ? 501 : 400
}

/** RFC 9110 §10.1.1: `100-continue` is the only expectation there is. */
const noteExpectation = (value: string, head: RequestHead): 0 | 417 => {
  if (head.minorVersion === 0) return 0
  head.expectContinue = value.toLowerCase() === '100-continue'
  return head.expectContinue ? 0 : 417
}
