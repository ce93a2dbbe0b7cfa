/** Responses under the same test as requests: whatever we accept, llhttp reads the same way. */
import { describe, expect, it } from 'vitest'
import { forwardedResponseHead } from './forward-head.ts'
import { headEnd } from './head-end.ts'
import {
  bodyOf,
  createResponseHead,
  parseResponseHead,
  type BodyFraming,
  type ResponseHead,
} from './response-head.ts'
import { createRandom, mutate, pick } from './testing/mutation.ts'
import { opinionOnResponses } from './testing/second-opinion.ts'
import { HEAD_FRAGMENTS, RESPONSE_SEEDS } from './testing/seeds.ts'

const HEADS = 10_000
const ACCEPTED_MIN = HEADS / 10
const WRITTEN_BODY_MAX = 1_000

describe('responses, read by two parsers', () => {
  it('D18 whatever we accept, llhttp reads as the same response, also as we write it', () => {
    const random = createRandom(3)
    const head = createResponseHead()
    const problems: string[] = []
    let accepted = 0
    for (let left = HEADS; left > 0; left -= 1) {
      const text = mutate(pick(random, RESPONSE_SEEDS), random, HEAD_FRAGMENTS)
      const end = headEnd(text)
      if (end < 0 || parseResponseHead(text, end, head) !== 0) continue
      accepted += 1
      problems.push(...disagreements(text.slice(0, end), head))
      // A 101 ends HTTP on its connection, and llhttp leaves it to its caller to find out.
      if (head.status === 101) continue
      const written = forwardedResponseHead(head, 1, head.keepAlive)
      const refusal = parseResponseHead(written, headEnd(written), head)
      if (refusal === 0) problems.push(...disagreements(written, head))
      else problems.push(`we refuse what we wrote: ${JSON.stringify(written)}`)
    }
    expect(problems).toEqual([])
    expect(accepted).toBeGreaterThan(ACCEPTED_MIN)
  })
})

const CHUNKED_HELLO = '5\r\nhello\r\n0\r\n\r\n'
const NEXT_RESPONSE = 'HTTP/1.1 299 Next\r\nContent-Length: 0\r\n\r\n'

const disagreements = (text: string, head: ResponseHead): readonly string[] => {
  if (head.contentLength > WRITTEN_BODY_MAX) return []
  const framing = bodyOf(head, 'GET')
  const plain = framing === 'length' ? 'x'.repeat(head.contentLength) : ''
  const sent = framing === 'chunked' ? CHUNKED_HELLO : plain
  const opinion = opinionOnResponses(text + sent + NEXT_RESPONSE)
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
    .map(([what, theirs, ours]) => `${what} ${String(theirs)}, not ${String(ours)}: ${text}`)
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
