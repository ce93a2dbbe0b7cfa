/** Whether llhttp reads a request that we have accepted in the way we do. For tests only. */
import type { RequestHead } from '../request.ts'
import { authorityOf, opinionOnRequests, originTargetOf } from './strict-reader.ts'

/** Longer bodies are not written out, they would prove nothing more. */
const WRITTEN_BODY_MAX = 1_000

const CHUNKED_HELLO = '5\r\nhello\r\n0\r\n\r\n'
const NEXT_REQUEST = 'GET /next HTTP/1.1\r\nHost: n\r\n\r\n'

/**
 * What llhttp says differently of the head in `text`, which we read as `head`. The body that we expect
 * and one more request are put behind it, and llhttp must find both where we do.
 */
export const requestDisagreements = (text: string, head: RequestHead): readonly string[] => {
  if (head.contentLength > WRITTEN_BODY_MAX) return []
  const plain = 'x'.repeat(Math.max(0, head.contentLength))
  const opinion = opinionOnRequests(text + (head.chunked ? CHUNKED_HELLO : plain) + NEXT_REQUEST)
  const [first, second] = opinion.messages
  if (first === undefined) return [`llhttp refuses ${JSON.stringify(text)}: ${opinion.error}`]
  const body = head.chunked ? 'hello' : plain
  // After an upgrade the bytes are no longer HTTP, and llhttp stops reading.
  const goesOn = head.keepAlive && !first.upgrade
  const pairs: readonly (readonly [what: string, theirs: unknown, ours: unknown])[] = [
    ['method', first.method, head.method],
    ['target', originTargetOf(first), head.target],
    ['version', first.minorVersion, head.minorVersion],
    ['host', authorityOf(first), head.authority],
    ['body', first.body, body],
    ['end', first.complete, true],
    ['next', goesOn ? second?.target : '/next', '/next'],
  ]
  return pairs
    .filter(([, theirs, ours]) => theirs !== ours)
    .map(([what, theirs, ours]) =>
      [what, String(theirs), 'not', String(ours), 'in', JSON.stringify(text)].join(' '),
    )
}
