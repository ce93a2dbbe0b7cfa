/**
 * A request head for a target of HTTP/2, from the text that `http/forward-head.ts` writes for every
 * target. Which fields a target gets was decided there: this is only the other form of it
 * (RFC 9113 §8.2, §8.3), in which nothing speaks of a connection or of where a message ends.
 */
import { headEnd } from '../../http/head-end.ts'
import { NO_LENGTH, lengthAt } from '../../http/framing.ts'
import { CRLF } from '../../http/syntax.ts'

export interface Http2Request {
  readonly method: string
  /** Octets that the head states; -1 for none. */
  readonly contentLength: number
  readonly chunked: boolean
  /** Names and values in turns, the pseudo-header fields first. */
  readonly fields: readonly string[]
  /** Where in the text the body begins. */
  readonly bodyFrom: number
}

/** `text` begins with a whole head, as `forwardedRequestHead` writes it. */
export const readRequest = (text: string, scheme: 'http' | 'https'): Http2Request => {
  const bodyFrom = headEnd(text)
  const methodTo = text.indexOf(' ')
  const pathTo = text.indexOf(' ', methodTo + 1)
  const method = text.slice(0, methodTo)
  const pseudo = [':method', method, ':scheme', scheme, ':path', text.slice(methodTo + 1, pathTo)]
  const fields: string[] = []
  let contentLength = NO_LENGTH
  let chunked = false
  let at = text.indexOf(CRLF, pathTo) + CRLF.length
  while (at < bodyFrom - CRLF.length) {
    const nameTo = text.indexOf(':', at)
    const end = text.indexOf(CRLF, nameTo)
    const name = text.slice(at, nameTo).toLowerCase()
    const value = text.slice(nameTo + 1, end).trim()
    at = end + CRLF.length
    switch (name) {
      case 'host':
        pseudo.push(':authority', value)
        break
      case 'connection':
      case 'upgrade':
        break
      case 'transfer-encoding':
        chunked = true
        break
      case 'content-length':
        contentLength = lengthAt(value, 0, value.length)
        fields.push(name, value)
        break
      default:
        fields.push(name, value)
    }
  }
  return { method, contentLength, chunked, fields: [...pseudo, ...fields], bodyFrom }
}
