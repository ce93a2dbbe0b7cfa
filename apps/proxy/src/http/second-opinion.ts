/**
 * A second opinion on every head that we accept, before any of it is forwarded: llhttp, which is Node's
 * own parser and other people's work, reads it too, and has to read the same message with the same end.
 * Off by default: it costs each message a second parsing. It is for those who would rather refuse a
 * request than learn later that two parsers can differ about it.
 */
import type { HeadReaders } from './head-readers.ts'
import { NO_LENGTH } from './framing.ts'
import { HEAD_BYTES_MAX } from './limits.ts'
import { HTTPParser, methodOfNumber, type HeadersComplete } from './llhttp.ts'
import type { RequestHead } from './request.ts'
import { bodyOf, type ResponseHead } from './response-head.ts'

/** What the two differ about. It names no part of the message, so that it may stand in any log. */
export interface Disagreement {
  readonly message: 'request' | 'response'
  readonly about: Aspect
  /** The code of llhttp's error when it refuses the head; '' otherwise. */
  readonly code: string
}

type Aspect =
  | 'acceptance'
  | 'method'
  | 'target'
  | 'host'
  | 'status'
  | 'version'
  | 'framing'
  | 'end'
  | 'persistence'

/** The readers, with heads refused that llhttp reads differently: 400 and 502. */
export const withSecondOpinion = (
  readers: HeadReaders,
  onDisagreement: (disagreement: Disagreement) => void,
): HeadReaders => {
  const ofRequests = createOpinion(HTTPParser.REQUEST)
  const ofResponses = createOpinion(HTTPParser.RESPONSE)
  return {
    request: (text, end, head) => {
      const refusal = readers.request(text, end, head)
      if (refusal !== 0) return refusal
      const opinion = ofRequests(text, end)
      const about = requestDifference(opinion, head)
      if (about === undefined) return 0
      onDisagreement({ message: 'request', about, code: opinion.code })
      return 400
    },
    response: (text, end, head) => {
      const refusal = readers.response(text, end, head)
      if (refusal !== 0) return refusal
      const opinion = ofResponses(text, end)
      const about = responseDifference(opinion, head)
      if (about === undefined) return 0
      onDisagreement({ message: 'response', about, code: opinion.code })
      return 502
    },
  }
}

/** What llhttp makes of one head. Filled anew by each reading. */
interface Opinion {
  /** It has understood all of it. */
  accepted: boolean
  code: string
  method: string
  target: string
  status: number
  minorVersion: number
  /** Name, value, name, value … as received. */
  fields: readonly string[]
  /** The message ends with its head. */
  complete: boolean
  keepAlive: boolean
}

/** llhttp counts bytes in another way; our own limit has been held already. */
const LIMIT_BYTES = 2 * HEAD_BYTES_MAX

const createOpinion = (type: number): ((text: string, end: number) => Opinion) => {
  const opinion: Opinion = {
    accepted: false,
    code: '',
    method: '',
    target: '',
    status: 0,
    minorVersion: 0,
    fields: [],
    complete: false,
    keepAlive: false,
  }
  const bytes = Buffer.alloc(HEAD_BYTES_MAX)
  const parser = new HTTPParser()
  let early: string[] = []
  let earlyTarget = ''

  // A head of more than 32 fields comes in parts.
  const onHeaders = (rawFields: string[], target: string): void => {
    early.push(...rawFields)
    earlyTarget += target
  }
  const onHeadersComplete: HeadersComplete = (
    _major,
    minorVersion,
    rawFields,
    method,
    target,
    status,
    _reason,
    _upgrade,
    keepAlive,
  ) => {
    opinion.accepted = true
    opinion.method = methodOfNumber(method)
    opinion.target = target ?? earlyTarget
    opinion.status = status ?? 0
    opinion.minorVersion = minorVersion
    opinion.fields = rawFields ?? early
    opinion.keepAlive = keepAlive
    return 0
  }
  const onMessageComplete = (): void => {
    opinion.complete = true
  }

  return (text, end) => {
    opinion.accepted = false
    opinion.complete = false
    early = []
    earlyTarget = ''
    parser.initialize(type, {}, LIMIT_BYTES)
    parser[HTTPParser.kOnHeaders] = onHeaders
    parser[HTTPParser.kOnHeadersComplete] = onHeadersComplete
    parser[HTTPParser.kOnMessageComplete] = onMessageComplete
    bytes.write(text, 0, end, 'latin1')
    const result = parser.execute(bytes.subarray(0, end))
    opinion.code = typeof result === 'number' ? '' : result.code
    opinion.accepted &&= opinion.code === ''
    return opinion
  }
}

const requestDifference = (opinion: Opinion, head: RequestHead): Aspect | undefined => {
  if (!opinion.accepted) return 'acceptance'
  if (opinion.method !== head.method) return 'method'
  if (opinion.minorVersion !== head.minorVersion) return 'version'
  const absolute = ABSOLUTE.exec(opinion.target)
  if (originTarget(opinion.target, absolute, head.method) !== head.target) return 'target'
  const authority = absolute?.[1] ?? valueOf(opinion.fields, 'host') ?? ''
  if (authority !== head.authority) return 'host'
  if (!framesAlike(opinion.fields, head.contentLength, head.chunked)) return 'framing'
  const bodiless = !head.chunked && head.contentLength <= 0
  if (opinion.complete !== bodiless) return 'end'
  return head.keepAlive && !opinion.keepAlive ? 'persistence' : undefined
}

const responseDifference = (opinion: Opinion, head: ResponseHead): Aspect | undefined => {
  if (!opinion.accepted) return 'acceptance'
  if (opinion.status !== head.status) return 'status'
  if (opinion.minorVersion !== head.minorVersion) return 'version'
  // Neither reader is told here that it answers a HEAD.
  const framing = bodyOf(head, 'GET')
  const mayFrame = head.status >= 200 && head.status !== 204
  if (mayFrame && !framesAlike(opinion.fields, head.contentLength, head.chunked)) return 'framing'
  if (opinion.complete !== (framing === 'none')) return 'end'
  // A connection that we would use again must be one that llhttp would use again.
  const goesOn = head.keepAlive && framing !== 'until-close'
  return goesOn && !opinion.keepAlive ? 'persistence' : undefined
}

const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i

/** RFC 9112 §3.2: what our head has of a target, worked out a second time. */
const originTarget = (target: string, absolute: RegExpExecArray | null, method: string): string => {
  const rest = absolute?.[2]
  if (rest === undefined) return target
  if (rest === '' && method === 'OPTIONS') return '*'
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Whether the framing fields say, each at most once, what we have read in them. */
const framesAlike = (
  fields: readonly string[],
  contentLength: number,
  chunked: boolean,
): boolean => {
  const length = valueOf(fields, 'content-length')
  const coding = valueOf(fields, 'transfer-encoding')
  const lengthRead = length === undefined ? NO_LENGTH : Number(length)
  return lengthRead === contentLength && (coding?.toLowerCase() === 'chunked') === chunked
}

/** The value of a field, several of them joined; undefined for none. */
const valueOf = (fields: readonly string[], lowerCaseName: string): string | undefined => {
  let joined: string | undefined
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? ''
    if (name.length !== lowerCaseName.length || name.toLowerCase() !== lowerCaseName) continue
    const value = fields[index + 1] ?? ''
    joined = joined === undefined ? value : `${joined},${value}`
  }
  return joined
}
