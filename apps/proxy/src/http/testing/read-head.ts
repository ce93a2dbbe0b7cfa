/** Heads written the way tests like to write them. For tests only. */
import { headEnd } from '../head-end.ts'
import { parseRequestHead } from '../request-head.ts'
import { createRequestHead, type RequestHead } from '../request.ts'
import { createResponseHead, parseResponseHead, type ResponseHead } from '../response-head.ts'

/** Lines become a head: each gets its CRLF, and the empty line follows. */
export const headOf = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`

/** The status that a request is refused with; 0 for none. */
export const refusalOf = (text: string): number =>
  parseRequestHead(text, headEnd(text), createRequestHead())

/** The head of a request that must be acceptable. */
export const requestOf = (...lines: readonly string[]): RequestHead => {
  const text = headOf(...lines)
  const head = createRequestHead()
  const refusal = parseRequestHead(text, headEnd(text), head)
  if (refusal !== 0) throw new Error(`refused with ${refusal}: ${JSON.stringify(text)}`)
  return head
}

/** The status that a response is refused with; 0 for none. */
export const responseRefusalOf = (text: string): number =>
  parseResponseHead(text, headEnd(text), createResponseHead())

/** The head of a response that must be acceptable. */
export const responseOf = (...lines: readonly string[]): ResponseHead => {
  const text = headOf(...lines)
  const head = createResponseHead()
  if (parseResponseHead(text, headEnd(text), head) !== 0) {
    throw new Error(`refused: ${JSON.stringify(text)}`)
  }
  return head
}
