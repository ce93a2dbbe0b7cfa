/**
 * Heads and bodies by themselves, read by our parsers and by llhttp: whatever we take, llhttp must take
 * with the same meaning and the same end, as it came and as we write it.
 */
import {
  createPeer,
  forwardedRequestHead,
  forwardedResponseHead,
} from '../../apps/proxy/src/http/forward-head.ts'
import { headEnd } from '../../apps/proxy/src/http/head-end.ts'
import { OWN_READERS } from '../../apps/proxy/src/http/head-readers.ts'
import { parseRequestHead } from '../../apps/proxy/src/http/request-head.ts'
import { createRequestHead } from '../../apps/proxy/src/http/request.ts'
import { createResponseHead, parseResponseHead } from '../../apps/proxy/src/http/response-head.ts'
import { withSecondOpinion, type Disagreement } from '../../apps/proxy/src/http/second-opinion.ts'
import {
  bodyDisagreements,
  followBody,
  opinionOnBody,
} from '../../apps/proxy/src/http/testing/body-agreement.ts'
import { requestDisagreements } from '../../apps/proxy/src/http/testing/request-agreement.ts'
import { responseDisagreements } from '../../apps/proxy/src/http/testing/response-agreement.ts'
import {
  opinionOnRequests,
  opinionOnResponses,
} from '../../apps/proxy/src/http/testing/strict-reader.ts'
import {
  BOTH,
  disagreement,
  NEITHER,
  STRICTER,
  type Case,
  type Level,
  type Verdict,
} from './case.ts'
import { chunkedBody, requestHead, responseHead } from './grammar.ts'

const alone = (level: Case['level'], input: string): Case => ({
  level,
  input,
  cuts: [],
  answers: [],
  pieceBytes: 0,
  early: false,
})

export const requestHeads: Level = {
  name: 'request-heads',
  generate: (random) => alone('request-heads', requestHead(random)),
  judge: ({ input }) => judgeRequestHead(input),
}

export const responseHeads: Level = {
  name: 'response-heads',
  generate: (random) => alone('response-heads', responseHead(random)),
  judge: ({ input }) => judgeResponseHead(input),
}

export const chunkedBodies: Level = {
  name: 'chunked-bodies',
  generate: (random) => alone('chunked-bodies', chunkedBody(random)),
  judge: ({ input }) => judgeBody(input),
}

const peer = createPeer('192.0.2.1', 'http', false)
const destination = { hostHeader: 'preserve', authority: 'target:80', basePath: '' } as const
const disagreements: Disagreement[] = []
const careful = withSecondOpinion(OWN_READERS, (about) => disagreements.push(about))
const request = createRequestHead()
const response = createResponseHead()

const judgeRequestHead = (text: string): Verdict => {
  const end = headEnd(text)
  if (end < 0 || parseRequestHead(text, end, request) !== 0) {
    return opinionOnRequests(text).messages.length > 0 ? STRICTER : NEITHER
  }
  const meaning = JSON.stringify(request)
  const again = readAgain(() => parseRequestHead(text, end, request))
  const problems = [
    ...(again && JSON.stringify(request) === meaning
      ? []
      : [`means another thing again: ${show(text)}`]),
    ...requestDisagreements(text.slice(0, end), request),
    ...problemsOf(careful.request(text, end, request)),
  ]
  // A request without Host gets the target's, which makes it another request.
  if (request.authority !== '') {
    const written = forwardedRequestHead(request, peer, destination, 'id', 0)
    const refusal = parseRequestHead(written, headEnd(written), request)
    if (refusal !== 0) problems.push(`we refuse with ${refusal} what we wrote: ${show(written)}`)
    else problems.push(...requestDisagreements(written, request))
  }
  return verdictOf(problems)
}

const judgeResponseHead = (text: string): Verdict => {
  const end = headEnd(text)
  if (end < 0 || parseResponseHead(text, end, response) !== 0) {
    return opinionOnResponses(text).messages.length > 0 ? STRICTER : NEITHER
  }
  const received = text.slice(0, end)
  const meaning = JSON.stringify(response)
  const again = readAgain(() => parseResponseHead(text, end, response))
  const problems = [
    ...(again && JSON.stringify(response) === meaning
      ? []
      : [`means another thing again: ${show(text)}`]),
    ...responseDisagreements(received, response, 'GET'),
    ...responseDisagreements(received, response, 'HEAD'),
    ...problemsOf(careful.response(text, end, response)),
  ]
  // A 101 ends HTTP on its connection, and llhttp leaves it to its caller to find out.
  if (response.status !== 101) {
    const written = forwardedResponseHead(response, 1, response.keepAlive)
    const refusal = parseResponseHead(written, headEnd(written), response)
    if (refusal !== 0) problems.push(`we refuse what we wrote: ${show(written)}`)
    else problems.push(...responseDisagreements(written, response, 'GET'))
  }
  return verdictOf(problems)
}

/** A head that comes for the third time is known by its text; what is judged then is that knowledge. */
const readAgain = (read: () => number): boolean => read() === 0 && read() === 0

/** GATEHOUSE_PARANOID may refuse nothing that these judges find in order. */
const problemsOf = (refusal: number): readonly string[] =>
  refusal === 0 ? [] : [`the second opinion: ${JSON.stringify(disagreements.splice(0))}`]

/** Read whole, byte by byte, and cut at every single place. */
const judgeBody = (text: string): Verdict => {
  const whole = followBody([text])
  const problems: string[] = []
  for (let at = 1; at < text.length; at += 1) {
    const reads = [text.slice(0, at), text.slice(at)]
    if (!isSame(followBody(reads), whole)) problems.push(`cut at ${at}: ${show(text)}`)
  }
  if (!isSame(followBody(text.split('')), whole)) problems.push(`byte by byte: ${show(text)}`)
  if (whole.done) {
    problems.push(...bodyDisagreements(text.slice(0, whole.end), whole.data))
    problems.push(...bodyDisagreements(whole.forwarded, whole.data))
  } else if (problems.length === 0) return opinionOnBody(text) ? STRICTER : NEITHER
  return verdictOf(problems)
}

const isSame = (one: object, other: object): boolean =>
  JSON.stringify(one) === JSON.stringify(other)

const verdictOf = (problems: readonly string[]): Verdict =>
  problems.length === 0 ? BOTH : disagreement(problems.join('\n'))

const show = (text: string): string => JSON.stringify(text)
