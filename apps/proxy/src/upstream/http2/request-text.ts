/**
 * A request head for a target of HTTP/2, from the text that `http/forward-head.ts` writes for every
 * target. Which fields a target gets was decided there: here they only lose what HTTP/2 has no place
 * for, because it says so in another way (RFC 9113 §8.2.2, §8.3.1).
 */
import { headEnd } from '../../http/head-end.ts'
import { NO_LENGTH, lengthAt } from '../../http/framing.ts'
import { CRLF } from '../../http/syntax.ts'

export interface RequestText {
  readonly method: string
  readonly path: string
  readonly authority: string
  /** Octets that the head states; -1 for none. */
  readonly contentLength: number
  readonly chunked: boolean
  /** Lines, each with its CRLF: the client's and its length, and what we say ourselves. */
  readonly kept: string
  readonly own: string
  /** Where in the text the body begins. */
  readonly bodyFrom: number
}

/** `text` begins with a whole head, as `forwardedRequestHead` writes it. */
export const readRequest = (text: string): RequestText => {
  const bodyFrom = headEnd(text)
  const last = bodyFrom - CRLF.length
  const methodTo = text.indexOf(' ')
  const pathTo = text.indexOf(' ', methodTo + 1)
  let authority = ''
  let contentLength = NO_LENGTH
  let chunked = false
  let fields = ''
  let kept: string | undefined
  let at = text.indexOf(CRLF, pathTo) + CRLF.length
  let keptFrom = at
  while (at < last) {
    const next = text.indexOf(CRLF, at) + CRLF.length
    const own = OWN_LINE.exec(text.slice(at, at + OWN_LINE_CHARACTERS))?.[1]
    if (own !== undefined) {
      const value = text.slice(at + own.length + ': '.length, next - CRLF.length)
      if (own === 'Host') authority = value
      else if (own === 'Content-Length') contentLength = lengthAt(value, 0, value.length)
      else if (own === 'Transfer-Encoding') chunked = true
      if (own === 'X-Forwarded-For') {
        kept = fields + text.slice(keptFrom, at)
        fields = ''
        keptFrom = at
      } else if (own !== 'Content-Length') {
        fields += text.slice(keptFrom, at)
        keptFrom = next
      }
    }
    at = next
  }
  return {
    method: text.slice(0, methodTo),
    path: text.slice(methodTo + 1, pathTo),
    authority,
    contentLength,
    chunked,
    kept: kept ?? '',
    own: fields + text.slice(keptFrom, last),
    bodyFrom,
  }
}

/** Only forward-head.ts writes these lines, and it writes them so: kept fields have none of these names. */
const OWN_LINE = /^(Host|Content-Length|Transfer-Encoding|X-Forwarded-For|Connection|Upgrade): /
const OWN_LINE_CHARACTERS = 'Transfer-Encoding: '.length
