/**
 * The head of a request, from latin1 text to a verdict: one pass over the characters, slices of the
 * original between the lines that are taken out, and no object per field. It accepts a strict subset
 * of HTTP/1.1 and answers the rest with a status, because what two readers can read in two ways is
 * how requests are smuggled. A refused head leaves the connection unreadable: it must be closed.
 */
import { NO_LENGTH } from './framing.ts'
import { HEAD_BYTES_MAX, TARGET_BYTES_MAX } from './limits.ts'
import { KnownHeads } from './known-heads.ts'
import { METHODS, REFUSED_METHODS } from './methods.ts'
import {
  copyFields,
  createRequestHead,
  type RequestFields,
  type RequestHead,
  type RequestRefusal,
} from './request.ts'
import { createRequestNotes, forgetNotes, readRequestFields } from './request-fields.ts'
import { settleRequest } from './request-settle.ts'
import { readTarget } from './request-target.ts'
import { CRLF, SPACE, TARGET, TOKEN, endOf } from './syntax.ts'

/**
 * Reads the head that `text` begins with into `head`; `end` is what `headEnd` said. 0, or the status
 * to refuse it with: then `head` is only good for `accept`.
 */
export const parseRequestHead = (
  text: string,
  end: number,
  head: RequestHead,
): 0 | RequestRefusal => {
  forget(head)
  // RFC 9112 §2.2: one empty line before a request line is tolerated.
  const methodFrom = text.startsWith(CRLF) ? 2 : 0
  const methodTo = endOf(TOKEN, text, methodFrom)
  if (methodTo === methodFrom || text.charCodeAt(methodTo) !== SPACE) return 400
  const targetFrom = methodTo + 1
  const targetTo = endOf(TARGET, text, targetFrom)
  if (targetTo === targetFrom || text.charCodeAt(targetTo) !== SPACE) return 400
  if (targetTo - targetFrom > TARGET_BYTES_MAX) return 414
  if (end > HEAD_BYTES_MAX) return 431
  return (
    readVersion(text, targetTo + 1, head) ||
    readMethod(text, methodFrom, methodTo, head) ||
    readTarget(text.slice(targetFrom, targetTo), head, notes) ||
    readSection(text, targetTo + 1 + VERSION_LENGTH, end, head)
  )
}

/** The section of fields, which means the same whatever the request line, in the usual form, says. */
const readSection = (
  text: string,
  from: number,
  end: number,
  head: RequestHead,
): 0 | RequestRefusal => {
  const isUsual = head.minorVersion === 1 && notes.targetAuthority === ''
  if (!isUsual) return readFields(text, from, end, head)
  const section = text.slice(from, end)
  const known = KNOWN_SECTIONS.find(section)
  if (known !== undefined) {
    copyFields(known, head)
    return 0
  }
  const refusal = readFields(text, from, end, head)
  if (refusal === 0) KNOWN_SECTIONS.notice(section)
  return refusal
}

const readFields = (
  text: string,
  from: number,
  end: number,
  head: RequestHead,
): 0 | RequestRefusal =>
  readRequestFields(text, from, end, head, notes) || settleRequest(head, notes)

const notes = createRequestNotes()

const KNOWN_SECTIONS = new KnownHeads((section): RequestFields => {
  const head = createRequestHead()
  forgetNotes(notes)
  readFields(section, 0, section.length, head)
  return head
})

const forget = (head: RequestHead): void => {
  // `host` and `authority` stay: most often the next request names the same (settleHost).
  head.contentLength = NO_LENGTH
  head.chunked = false
  head.upgrade = ''
  head.expectContinue = false
  head.acceptsTrailers = false
  head.accept = ''
  head.forwardedFor = ''
  head.forwardedProto = ''
  head.forwardedHost = ''
  head.requestId = ''
  head.requestStart = ''
  head.forwardedOther = ''
  head.fields = ''
  forgetNotes(notes)
}

const VERSION_LENGTH = 'HTTP/1.1\r\n'.length

/** RFC 9112 §2.3. Another version is 505, the preface of HTTP/2 among them; none at all is 400. */
const readVersion = (text: string, from: number, head: RequestHead): 0 | 400 | 505 => {
  const line = text.slice(from, from + VERSION_LENGTH)
  if (line === 'HTTP/1.1\r\n') head.minorVersion = 1
  else if (line === 'HTTP/1.0\r\n') head.minorVersion = 0
  else return /^HTTP\/\d\.\d\r\n$/.test(line) ? 505 : 400
  return 0
}

const readMethod = (text: string, from: number, to: number, head: RequestHead): 0 | 405 | 501 => {
  // A literal is found faster in a set than a slice, and most requests are this one.
  const method = text.startsWith('GET ', from) ? 'GET' : text.slice(from, to)
  head.method = method
  if (METHODS.has(method)) return 0
  return REFUSED_METHODS.has(method) ? 405 : 501
}
