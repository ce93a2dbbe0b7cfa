/**
 * The answers that this proxy gives itself, each in one piece of text: head and body. They say who
 * speaks (Proxy-Status, RFC 9209), about which request (X-Request-ID), and what went wrong, as plain
 * text, or as problem details (RFC 9457) for clients that prefer JSON.
 */
import { STATUS_CODES } from '../node-http.ts'
import { FAILURES, type Failure, type FailureRow } from './failure.ts'
import { SHOWN_HOST_CHARACTERS_MAX } from './limits.ts'
import { listMembers } from './syntax.ts'

/** What an answer has to know about the request; a request head that could not be read says less. */
export interface AnsweredRequest {
  /** '' when unknown. */
  readonly method: string
  readonly minorVersion: 0 | 1
  /** The Accept field; '' for none. */
  readonly accept: string
  /** The host as received; '' for none. It is named in the answer for an unknown host only. */
  readonly authority: string
  readonly requestId: string
  /** The client wants another request on this connection, and its request has been read whole. */
  readonly keepAlive: boolean
  /** Unix time, for Date. */
  readonly nowMs: number
}

export interface Answer {
  readonly status: number
  /** Head and body as latin1 text: one character a byte. */
  readonly text: string
  /** The connection must be closed after it; the text says so. */
  readonly closes: boolean
}

/**
 * The answer to a request that failed. `message` is what an operator has to say about it; it takes the
 * place of our own sentence.
 */
export const answerFailure = (failure: Failure, request: AnsweredRequest, message = ''): Answer => {
  const row = FAILURES[failure]
  const detail =
    failure === 'unknown-host' ? unknownHost(request.authority) : toUtf8(message) || row.sentence
  const body = prefersJson(request.accept)
    ? { type: 'application/problem+json', text: problemDetails(row, detail, request.requestId) }
    : { type: 'text/plain; charset=utf-8', text: `${detail}\n` }
  return answer(row.status, failureLines(failure, row), body, request, row.closes)
}

/** An empty 200: what a health check of an outer balancer gets while a service is paused or stopped. */
export const answerHealthy = (request: AnsweredRequest): Answer =>
  answer(200, '', { type: 'text/plain; charset=utf-8', text: '' }, request, false)

/** What the proxy says for itself where nothing has failed. */
export interface OwnAnswer {
  readonly status: number
  /** Further field lines, each with its CRLF. */
  readonly lines: string
  /** ASCII; its type is plain text. */
  readonly text: string
}

export const answerOwn = ({ status, lines, text }: OwnAnswer, request: AnsweredRequest): Answer =>
  answer(status, lines, { type: 'text/plain; charset=utf-8', text }, request, false)

/** A host as it may be shown: printable ASCII without quotes and brackets, and not too much of it. */
export const shownHost = (authority: string): string => {
  const plain = authority.replace(/[^A-Za-z0-9.:_[\]-]/g, '?')
  return plain.length > SHOWN_HOST_CHARACTERS_MAX
    ? `${plain.slice(0, SHOWN_HOST_CHARACTERS_MAX)}...`
    : plain
}

/** Our answers are written as latin1 text, a byte for each character, and say that they are UTF-8. */
const toUtf8 = (message: string): string => Buffer.from(message, 'utf8').toString('latin1')

const unknownHost = (authority: string): string =>
  authority === '' ? 'unknown host: none was given' : `unknown host: ${shownHost(authority)}`

/**
 * Whether the client would rather have JSON: the preferred type decides (RFC 9110 §12.5.1), the first
 * named of equals, and a client that takes anything gets text.
 */
const prefersJson = (accept: string): boolean => {
  let best = { isJson: false, quality: 0 }
  for (const member of listMembers(accept)) {
    const [type = '', ...parameters] = member.split(/[ \t]*;[ \t]*/)
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    const quality = weight === undefined ? 1 : Number(weight.slice(2)) || 0
    const isJson = /^application\/(?:[^/]+\+)?json$/.test(type)
    const isText = type === '*/*' || type.startsWith('text/')
    if ((isJson || isText) && quality > best.quality) best = { isJson, quality }
  }
  return best.isJson
}

const problemDetails = (row: FailureRow, detail: string, requestId: string): string =>
  JSON.stringify({
    type: 'about:blank',
    title: STATUS_CODES[row.status],
    status: row.status,
    detail,
    request_id: requestId,
  })

const failureLines = (failure: Failure, row: FailureRow): string =>
  `Proxy-Status: gatehouse; error=${row.proxyError}; details="${failure}"\r\n` +
  (row.retryAfterS === undefined ? '' : `Retry-After: ${row.retryAfterS}\r\n`) +
  (failure === 'method-not-allowed' ? ALLOW_LINE : '')

/** RFC 9110 §15.5.6: a 405 names what is allowed; of the rest, what anybody would look for. */
const ALLOW_LINE = 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n'

const answer = (
  status: number,
  lines: string,
  body: { readonly type: string; readonly text: string },
  request: AnsweredRequest,
  mustClose: boolean,
): Answer => {
  const closes = mustClose || !request.keepAlive
  const head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n` +
    `Date: ${new Date(request.nowMs).toUTCString()}\r\n` +
    `Content-Type: ${body.type}\r\n` +
    `Content-Length: ${body.text.length}\r\n` +
    'Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n' +
    `X-Request-ID: ${request.requestId}\r\n` +
    lines +
    connectionLine(closes, request.minorVersion)
  // RFC 9110 §9.3.2: HEAD is told the length of what it does not get.
  const sent = request.method === 'HEAD' ? '' : body.text
  return { status, closes, text: `${head}\r\n${sent}` }
}

const connectionLine = (closes: boolean, minorVersion: 0 | 1): string => {
  if (closes) return 'Connection: close\r\n'
  return minorVersion === 0 ? 'Connection: keep-alive\r\n' : ''
}
