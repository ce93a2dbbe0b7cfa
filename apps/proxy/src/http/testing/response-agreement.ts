/** Whether llhttp reads a response that we have accepted in the way we do. For tests only. */
import { bodyOf, type BodyFraming, type ResponseHead } from '../response-head.ts'
import { opinionOnResponses } from './strict-reader.ts'

const WRITTEN_BODY_MAX = 1_000

const CHUNKED_HELLO = '5\r\nhello\r\n0\r\n\r\n'
const NEXT_RESPONSE = 'HTTP/1.1 299 Next\r\nContent-Length: 0\r\n\r\n'

/** As for requests; `method` is that of the request it answers. */
export const responseDisagreements = (
  text: string,
  head: ResponseHead,
  method: string,
): readonly string[] => {
  if (head.contentLength > WRITTEN_BODY_MAX) return []
  const framing = bodyOf(head, method)
  const plain = framing === 'length' ? 'x'.repeat(head.contentLength) : ''
  const sent = framing === 'chunked' ? CHUNKED_HELLO : plain
  const opinion = opinionOnResponses(text + sent + NEXT_RESPONSE, () => method === 'HEAD')
  const [first, second] = opinion.messages
  if (first === undefined) return [`llhttp refuses ${JSON.stringify(text)}: ${opinion.error}`]
  const body = expectedBody(framing, plain)
  const reads = !first.upgrade
  const goesOn = reads && head.keepAlive && framing !== 'until-close'
  const pairs: readonly (readonly [what: string, theirs: unknown, ours: unknown])[] = [
    ['status', first.status, head.status],
    ['version', first.minorVersion, head.minorVersion],
    ['body', reads ? first.body : body, body],
    ['end', reads && framing !== 'until-close' ? first.complete : true, true],
    ['next', goesOn ? second?.status : 299, 299],
  ]
  return pairs
    .filter(([, theirs, ours]) => theirs !== ours)
    .map(([what, theirs, ours]) =>
      [what, String(theirs), 'not', String(ours), 'in', JSON.stringify(text)].join(' '),
    )
}

const expectedBody = (framing: BodyFraming, plain: string): string => {
  switch (framing) {
    case 'none':
      return ''
    case 'length':
      return plain
    case 'chunked':
      return 'hello'
    case 'until-close':
      return NEXT_RESPONSE
  }
}
