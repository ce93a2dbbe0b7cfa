/**
 * Everything that can keep a request from its target's answer, in one closed union, and what a client
 * is told about it: a status, a sentence, and an error type of RFC 9209 §2.3 for Proxy-Status.
 */
import type { RequestRefusal } from './request.ts'

export type Failure =
  | 'bad-request'
  | 'bad-handshake'
  | 'unknown-host'
  | 'misdirected'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'body-too-large'
  | 'target-too-long'
  | 'unknown-expectation'
  | 'head-too-large'
  | 'proxy-error'
  | 'not-implemented'
  | 'version-not-supported'
  | 'connect-refused'
  | 'connect-failed'
  | 'tls-failed'
  | 'not-http2'
  | 'no-web-socket'
  | 'target-reset'
  | 'bad-answer'
  | 'no-active-release'
  | 'stopped'
  | 'pause-queue-full'
  | 'queue-full'
  | 'connect-timeout'
  | 'response-timeout'
  | 'pause-expired'
  | 'drain-expired'

export interface FailureRow {
  readonly status: number
  readonly sentence: string
  /** RFC 9209 §2.3. */
  readonly proxyError: string
  /** The connection cannot be read any further, or is not worth it. */
  readonly closes: boolean
  /** Worth another try after so long; absent when we do not know. */
  readonly retryAfterS?: number
}

/** The failure that a refused head is. */
export const failureOfRefusal = (refusal: RequestRefusal): Failure => {
  switch (refusal) {
    case 400:
      return 'bad-request'
    case 405:
      return 'method-not-allowed'
    case 414:
      return 'target-too-long'
    case 417:
      return 'unknown-expectation'
    case 431:
      return 'head-too-large'
    case 501:
      return 'not-implemented'
    case 505:
      return 'version-not-supported'
  }
}

const RETRY_SOON_S = 1
const RETRY_LATER_S = 5

const closing = (status: number, sentence: string): FailureRow => ({
  status,
  sentence,
  proxyError: 'http_request_error',
  closes: true,
})

const passing = (
  status: number,
  proxyError: string,
  sentence: string,
  retryAfterS?: number,
): FailureRow => ({
  status,
  sentence,
  proxyError,
  closes: false,
  ...(retryAfterS === undefined ? {} : { retryAfterS }),
})

export const FAILURES: Readonly<Record<Failure, FailureRow>> = {
  'bad-request': closing(400, 'the request is malformed or ambiguous'),
  'bad-handshake': closing(
    400,
    'a WebSocket is opened by a GET with one Sec-WebSocket-Key: 16 bytes in base64',
  ),
  'unknown-host': passing(404, 'destination_not_found', 'unknown host'),
  misdirected: passing(
    421,
    'http_request_error',
    'this connection was made to another host: make one to the host that is asked for',
  ),
  'method-not-allowed': closing(405, 'CONNECT and TRACE are not served here'),
  'request-timeout': closing(408, 'the request did not arrive in time'),
  'body-too-large': closing(413, 'the request body is larger than this service accepts'),
  'target-too-long': closing(414, 'the request target is too long'),
  'unknown-expectation': closing(417, 'only the expectation 100-continue is understood'),
  'head-too-large': closing(431, 'the request header fields are too large or too many'),
  'proxy-error': {
    status: 500,
    sentence: 'the proxy failed to handle the request',
    proxyError: 'proxy_internal_error',
    closes: true,
  },
  'not-implemented': closing(501, 'the method or transfer coding is not implemented'),
  'no-web-socket': passing(
    501,
    'http_request_error',
    'WebSockets are not opened over HTTP/2, which is what the targets of this service speak',
  ),
  'version-not-supported': closing(505, 'only HTTP/1.1 and HTTP/1.0 are spoken here'),

  'connect-refused': passing(502, 'connection_refused', 'the target refused the connection'),
  'connect-failed': passing(502, 'destination_unavailable', 'the target cannot be reached'),
  'tls-failed': passing(502, 'tls_protocol_error', 'TLS to the target failed'),
  'not-http2': passing(502, 'http_protocol_error', 'the target does not speak HTTP/2'),
  'target-reset': passing(
    502,
    'connection_terminated',
    'the target closed the connection before it answered',
  ),
  'bad-answer': passing(502, 'http_protocol_error', 'the target sent a malformed answer'),

  'no-active-release': passing(
    503,
    'destination_unavailable',
    'no release of this service is active',
    RETRY_LATER_S,
  ),
  stopped: passing(503, 'destination_unavailable', 'this service is stopped'),
  'pause-queue-full': passing(
    503,
    'connection_limit_reached',
    'this service is paused, and no more requests can wait for it',
    RETRY_LATER_S,
  ),
  'queue-full': passing(
    503,
    'connection_limit_reached',
    'all connections to the target are busy, and no more requests can wait for one',
    RETRY_SOON_S,
  ),
  'connect-timeout': passing(
    504,
    'connection_timeout',
    'the target did not accept the connection in time',
  ),
  'response-timeout': passing(504, 'http_response_timeout', 'the target did not answer in time'),
  'pause-expired': passing(
    504,
    'destination_unavailable',
    'this service stayed paused for longer than a request may wait',
  ),
  'drain-expired': passing(
    504,
    'connection_terminated',
    'the release was drained before it answered',
  ),
}
