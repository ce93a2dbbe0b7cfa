/**
 * The books of one connection: what its client sent and got, against what the target got and sent. llhttp
 * reads all four, and every message and every byte must be accounted for.
 */
import {
  authorityOf,
  originTargetOf,
  StrictReader,
  valuesOf,
  type OpinionMessage,
} from '../../apps/proxy/src/http/testing/strict-reader.ts'
import { BOTH, disagreement, NEITHER, STRICTER, type Verdict } from './case.ts'
import { readAnswer, type Ledger } from './target.ts'

export interface Outcome extends Ledger {
  /** What the client got. */
  readonly received: string
  /** It was told that what it has is not complete. */
  readonly wasReset: boolean
}

/** The authority that a request without a Host is given. */
const TARGET_AUTHORITY = /^(?:target|127\.0\.0\.1:\d+)$/

export const accountFor = (input: string, outcome: Outcome): Verdict => {
  const sent = readInput(input, outcome)
  const got = readReceived(sent, outcome)
  const problems = [
    ...outcome.problems,
    ...problemsOfRequests(sent, outcome),
    ...problemsOfAnswers(got, outcome),
  ]
  const refused = got.messages.some((message) => isOurs(message) && message.status < 500)
  const all = sent.messages.filter(({ complete }) => complete).length
  const served = outcome.requests.filter(({ complete }) => complete).length
  if (!refused && !closes(got.messages) && !outcome.wasReset && served < all) {
    problems.push(`of ${all} requests ${served} reached the target, and nobody was told`)
  }
  if (problems.length > 0) return disagreement(problems.join('\n'))
  if (!refused) return BOTH
  return served < all ? STRICTER : NEITHER
}

interface Stream {
  readonly messages: readonly OpinionMessage[]
  /** What is no HTTP any more. */
  readonly rest: string
  readonly error: string | undefined
}

/** What the client sent, up to where it was told that its connection is an upgraded one now. */
const readInput = (input: string, { requests, received }: Outcome): Stream => {
  const isUpgraded = received.includes('HTTP/1.1 101 ')
  const reader = new StrictReader('requests')
  reader.read(input)
  while (reader.stopped) {
    if (isUpgraded && reader.messages.length === requests.length) break
    reader.goOn()
  }
  reader.close()
  return reader
}

const readReceived = (sent: Stream, { received, wasReset }: Outcome): Stream => {
  let finals = 0
  const reader = new StrictReader('responses', ({ status }) => {
    if (status < 200) return false
    finals += 1
    return sent.messages[finals - 1]?.method === 'HEAD'
  })
  reader.read(received)
  if (!wasReset) reader.end()
  reader.close()
  return reader
}

const problemsOfRequests = (sent: Stream, { requests, tunnelled }: Outcome): readonly string[] => {
  const problems = requests.flatMap((ours, index) => {
    const theirs = sent.messages[index]
    if (theirs === undefined) return [`request ${index} was never sent: ${show(ours)}`]
    return [...differences(theirs, ours, index), ...oddities(ours)]
  })
  if (!sent.rest.startsWith(tunnelled)) problems.push(`tunnelled: ${JSON.stringify(tunnelled)}`)
  return problems
}

const differences = (
  theirs: OpinionMessage,
  ours: OpinionMessage,
  index: number,
): readonly string[] => {
  const authority = authorityOf(theirs)
  const host = authorityOf(ours)
  const isHostRight = authority === '' ? TARGET_AUTHORITY.test(host) : host === authority
  const isBodyRight = ours.complete
    ? theirs.complete && ours.body === theirs.body
    : theirs.body.startsWith(ours.body)
  const checks: readonly (readonly [what: string, right: boolean])[] = [
    ['method', ours.method === theirs.method],
    ['target', ours.target === originTargetOf(theirs)],
    ['version', ours.minorVersion === 1],
    ['host', isHostRight],
    ['body', isBodyRight],
  ]
  return checks
    .filter(([, right]) => !right)
    .map(([what]) => `request ${index}, ${what}: ${show(theirs)} became ${show(ours)}`)
}

/** Fields that nobody may find twice, whatever a client sends. */
const SINGLE = [
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'te',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-request-id',
] as const

const oddities = (ours: OpinionMessage): readonly string[] => [
  ...SINGLE.filter((name) => valuesOf(ours, name).length > 1).map((name) => `${name} twice`),
  ...(isForged(ours) ? ['a forged address'] : []),
  ...(/^h2c?$/i.test(valuesOf(ours, 'upgrade').join()) ? ['an upgrade to h2c'] : []),
]

/** CGI reads `_` and, in PHP, `.` as `-`, so what reads like our own field must not be there either. */
const isForged = ({ rawFields }: OpinionMessage): boolean =>
  rawFields.some(
    (text, index) =>
      index % 2 === 1 &&
      /^x[-_.]forwarded[-_.]for$/i.test(rawFields[index - 1] ?? '') &&
      text.includes('6.6.6.6'),
  )

const problemsOfAnswers = (got: Stream, outcome: Outcome): readonly string[] => {
  const { answers, wasReset } = outcome
  const problems: string[] = []
  let interim: OpinionMessage[] = []
  let index = 0
  for (const message of got.messages) {
    if (message.status < 200 && message.status !== 101) {
      interim.push(message)
      continue
    }
    const answered = answers[index]
    index += 1
    if (isOurs(message)) {
      // It may have begun well.
      interim = []
      continue
    }
    if (answered === undefined) {
      problems.push(`answer ${index} was never sent: ${show(message)}`)
      break
    }
    const { answer, request } = answered
    const theirs = readAnswer(answer, request)
    const final = message.status === 101 ? undefined : theirs.final
    const isRight =
      message.status === 101
        ? theirs.switches && got.rest === theirs.rest
        : final !== undefined &&
          message.status === final.status &&
          (message.complete
            ? isWhole(theirs.error, final, message)
            : final.body.startsWith(message.body))
    const isHeraldRight = interim.every(({ status }, at) => status === theirs.interim[at]?.status)
    if (!isRight || !isHeraldRight) {
      problems.push(`answer ${index}: ${JSON.stringify(answer)} became ${show(message)}`)
    }
    interim = []
  }
  const last = got.messages.at(-1)
  const isAfterClose = got.error === 'HPE_CLOSED_CONNECTION' && last !== undefined && isOurs(last)
  if (got.error !== undefined && !isAfterClose) problems.push(`the client reads ${got.error}`)
  if (!wasReset && last !== undefined && !last.complete) problems.push('the last answer has no end')
  return problems
}

/** An answer of our own says who speaks. */
const isOurs = (message: OpinionMessage): boolean => valuesOf(message, 'proxy-status').length > 0

const isWhole = (
  error: string | undefined,
  theirs: OpinionMessage,
  ours: OpinionMessage,
): boolean => ours.body === theirs.body && (theirs.complete || error === undefined)

const closes = (messages: readonly OpinionMessage[]): boolean =>
  messages.some((message) =>
    valuesOf(message, 'connection').some((value) => /\bclose\b/i.test(value)),
  )

const show = ({ method, target, status, body, complete }: OpinionMessage): string =>
  JSON.stringify({ method, target, status, body, complete })
