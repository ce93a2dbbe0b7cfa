/** What an error of a connection or of HTTP means, as the end of a sentence about a request. */
import { SAID } from './probe-http2.ts'

const TLS_CODES = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO)/

/** Reads on after `GET http://10.0.0.5:3000/up`: `was refused`, `could not be sent: …`. */
export const causeOf = (error: unknown): string => {
  const code = codeOf(error)
  switch (code) {
    case 'ECONNREFUSED':
      return 'was refused'
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'was cut off by the target before it answered'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'could not be sent: the host name does not resolve'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'could not be sent: there is no route to the host'
    case 'ENOENT':
      return 'could not be sent: the socket does not exist'
    case 'EACCES':
    case 'EPERM':
      return 'could not be sent: this user may not open the socket'
    case 'ERR_HTTP2_STREAM_ERROR':
    case 'ERR_HTTP2_STREAM_CANCEL':
      return 'was cut off by the target before it answered'
    case 'ERR_HTTP2_ERROR':
      return 'was answered with something that is not HTTP/2'
    case SAID:
      return messageOf(error)
    case 'UND_ERR_HEADERS_OVERFLOW':
      return 'was answered with a head that is too large'
    default:
      if (isNoHttp(error, code)) return 'was answered with something that is not HTTP/1.1'
      if (TLS_CODES.test(code)) return `was not sent, because TLS failed: ${messageOf(error)}`
      return `failed: ${messageOf(error)}`
  }
}

/** undici names the parser's error, and gives it a code only for some of the parser's own. */
const isNoHttp = (error: unknown, code: string): boolean =>
  code.startsWith('HPE_') || (error instanceof Error && error.name === 'HTTPParserError')

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  return codeOf(error.cause)
}

/** On one line, and without the advice about Node's command line that TLS errors bring along. */
const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replace(/; if the root CA is installed locally.*/s, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
