/** Where a head ends in what has been read so far, asked before anything in it is understood. */
import { HEAD_BYTES_MAX, USUAL_HEAD_BYTES } from './limits.ts'
import { CR, CRLF } from './syntax.ts'

/** What was read from `from`, as far as a head may be found in it: no more of a body than need be. */
export const headText = (buffer: Buffer, from: number, to: number): string => {
  const usual = buffer.toString('latin1', from, Math.min(to, from + USUAL_HEAD_BYTES))
  return usual.length < USUAL_HEAD_BYTES || headEnd(usual) >= 0
    ? usual
    : buffer.toString('latin1', from, Math.min(to, from + HEAD_BYTES_MAX))
}

/**
 * The index just past the empty line that ends the head, or -1 when more has to be read. A head that
 * already has a bare LF ends there: no parser here accepts it, and waiting for more would let the
 * sender time out instead of being told (RFC 9112 §2.2 allows to refuse a bare LF).
 */
export const headEnd = (text: string): number => {
  const empty = text.indexOf('\r\n\r\n')
  return empty >= 0 ? empty + 4 : endOfBareLine(text)
}

/**
 * The status for a head that has not ended within HEAD_BYTES_MAX: 414 when not even its first line
 * has (RFC 9110 §15.5.15), 431 otherwise (RFC 6585 §5).
 */
export const refusalOfEndlessHead = (text: string): 414 | 431 =>
  text.indexOf(CRLF, CRLF.length) < 0 ? 414 : 431

const endOfBareLine = (text: string): number => {
  let at = text.indexOf('\n')
  while (at >= 0) {
    if (text.charCodeAt(at - 1) !== CR) return at + 1
    at = text.indexOf('\n', at + 1)
  }
  return -1
}
