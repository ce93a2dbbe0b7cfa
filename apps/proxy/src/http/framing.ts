/**
 * What frames a body: the two fields that say where it ends, read strictly and written in one form.
 * They are never passed through (RFC 9112 §6), so that whoever reads our output cannot read another
 * length than we did.
 */
import { CONTENT_LENGTH_DIGITS_MAX } from './limits.ts'
import { hasToken, isToken, listMembers } from './syntax.ts'

/** The length of a message that states none. */
export const NO_LENGTH = -1

/** The Content-Length between the indices, or NO_LENGTH when it is not just a few plain digits. */
export const lengthAt = (text: string, from: number, to: number): number => {
  if (from === to || to - from > CONTENT_LENGTH_DIGITS_MAX) return NO_LENGTH
  let length = 0
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - DIGIT_ZERO
    if (digit < 0 || digit > 9) return NO_LENGTH
    length = length * 10 + digit
  }
  return length
}

/** Whether the Transfer-Encoding between the indices is the one coding that we understand. */
export const isChunkedAt = (text: string, from: number, to: number): boolean =>
  to - from === 'chunked'.length && hasToken(text, from, 'chunked')

/** Whether a Transfer-Encoding lists a coding other than chunked. */
export const namesUnknownCoding = (value: string): boolean =>
  listMembers(value).some((member) => member !== 'chunked' && isToken(member))

/** The framing fields in the one form that leaves this proxy; '' for a message without either. */
export const framingLines = (contentLength: number, chunked: boolean): string => {
  if (chunked) return 'Transfer-Encoding: chunked\r\n'
  return contentLength === NO_LENGTH ? '' : `Content-Length: ${contentLength}\r\n`
}

const DIGIT_ZERO = 0x30
