/**
 * The one place that says what becomes of a header field on its way through: kept, dropped, refused,
 * or noted for the proxy's own use. Both parsers ask it per field; nothing else in the proxy decides
 * about a field by its name.
 *
 * Three sorts of fields do not simply pass:
 * - hop-by-hop fields (RFC 9110 §7.6.1) speak about one connection, and we have two of them;
 * - framing fields are read, and written anew in one form, so that no two readers can differ;
 * - fields that *we* set, or believe from a trusted peer, must not be smuggled in by anybody else.
 */
import { hasToken } from './syntax.ts'

/** `keep`, `accept` and `expect` are forwarded as they came, all others are taken out. */
export type RequestRule =
  | 'keep'
  | 'drop'
  | 'accept'
  | 'expect'
  | 'host'
  | 'content-length'
  | 'transfer-encoding'
  | 'connection'
  | 'te'
  | 'upgrade'
  | 'forwarded-for'
  | 'forwarded-proto'
  | 'forwarded-host'
  | 'forwarded-other'
  | 'request-id'
  | 'request-start'

export type ResponseRule =
  'keep' | 'drop' | 'content-length' | 'transfer-encoding' | 'connection' | 'upgrade'

/** The rule for the request field whose name is the `length` characters at `from`. */
export const ruleOfRequestField = (text: string, from: number, length: number): RequestRule => {
  if ((text.charCodeAt(from) | 0x20) === LETTER_X) return ruleOfExtension(text, from, length)
  switch (length) {
    case 2:
      return hasToken(text, from, 'te') ? 'te' : 'keep'
    case 4:
      return hasToken(text, from, 'host') ? 'host' : 'keep'
    case 5:
      // httpoxy (CVE-2016-5385): CGI turns `Proxy` into HTTP_PROXY, which clients then obey.
      return hasToken(text, from, 'proxy') ? 'drop' : 'keep'
    case 6:
      if (hasToken(text, from, 'accept')) return 'accept'
      return hasToken(text, from, 'expect') ? 'expect' : 'keep'
    case 7:
      if (hasToken(text, from, 'upgrade')) return 'upgrade'
      return hasToken(text, from, 'trailer') ? 'drop' : 'keep'
    case 9:
      return hasToken(text, from, 'forwarded') ? 'forwarded-other' : 'keep'
    case 10:
      if (hasToken(text, from, 'connection')) return 'connection'
      return hasToken(text, from, 'keep-alive') ? 'drop' : 'keep'
    case 11:
      // RFC 9440 §4: the certificate of a client, as a proxy that has verified it would say it.
      return hasToken(text, from, 'client-cert') ? 'drop' : 'keep'
    case 14:
      // HTTP2-Settings belongs to an upgrade to h2c (RFC 7540 §3.2.1), which never goes through.
      if (hasToken(text, from, 'content-length')) return 'content-length'
      return hasToken(text, from, 'http2-settings') ? 'drop' : 'keep'
    case 16:
      return hasToken(text, from, 'proxy-connection') ? 'drop' : 'keep'
    case 17:
      if (hasToken(text, from, 'client-cert-chain')) return 'drop'
      return hasToken(text, from, 'transfer-encoding') ? 'transfer-encoding' : 'keep'
    case 19:
      // RFC 9110 §11.7.2: meant for the first proxy that asks for it, and targets never do.
      return hasToken(text, from, 'proxy-authorization') ? 'drop' : 'keep'
    default:
      return 'keep'
  }
}

/**
 * Whether a name with `_` or `.` reads like one of the names above once CGI has folded it: then it
 * is an imitation, and is dropped. `X_Forwarded_For` would otherwise arrive beside ours.
 */
export const imitatesRuledField = (name: string): boolean => {
  const folded = name.replace(/[_.]/g, '-')
  return ruleOfRequestField(folded, 0, folded.length) !== 'keep'
}

/** The rule for the response field whose name is the `length` characters at `from`. */
export const ruleOfResponseField = (text: string, from: number, length: number): ResponseRule => {
  switch (length) {
    case 7:
      return hasToken(text, from, 'upgrade') ? 'upgrade' : 'keep'
    case 10:
      if (hasToken(text, from, 'connection')) return 'connection'
      return hasToken(text, from, 'keep-alive') ? 'drop' : 'keep'
    case 14:
      return hasToken(text, from, 'content-length') ? 'content-length' : 'keep'
    case 16:
      return hasToken(text, from, 'proxy-connection') ? 'drop' : 'keep'
    case 17:
      return hasToken(text, from, 'transfer-encoding') ? 'transfer-encoding' : 'keep'
    case 18:
      return hasToken(text, from, 'proxy-authenticate') ? 'drop' : 'keep'
    default:
      return 'keep'
  }
}

/**
 * Whether the field speaks of one connection of HTTP/1.1 and so may not stand in HTTP/2 (RFC 9113 §8.2.2):
 * a request with it is malformed. TE may, if it says `trailers` and nothing else.
 */
export const isConnectionField = (lowerCaseName: string): boolean =>
  CONNECTION_FIELDS.has(lowerCaseName)

/**
 * Whether a request may not ask, by naming the field in Connection, to have it taken out. Such a
 * request wants us to forward less than was said, about framing, identity or origin: 400.
 */
export const isProtectedInRequest = (lowerCaseName: string): boolean =>
  PROTECTED_IN_REQUESTS.has(lowerCaseName) || lowerCaseName.startsWith('x-forwarded-')

/**
 * What becomes of a trailer field. Fields about routing, authentication or the handling of the content
 * must come before it (RFC 9110 §6.5.1), and a receiver that merges trailers into its header fields
 * would believe them: they are dropped. What frames a message, or ends its connection, after the fact
 * is an attack: it is refused, because parsers (llhttp among them) act upon it.
 */
export const ruleOfTrailer = (lowerCaseName: string): 'keep' | 'drop' | 'refuse' => {
  if (NEVER_AFTER_CONTENT.has(lowerCaseName)) return 'refuse'
  const { length } = lowerCaseName
  const isHarmless =
    !NEVER_TRAILERS.has(lowerCaseName) &&
    ruleOfRequestField(lowerCaseName, 0, length) === 'keep' &&
    ruleOfResponseField(lowerCaseName, 0, length) === 'keep' &&
    !imitatesRuledField(lowerCaseName)
  return isHarmless ? 'keep' : 'drop'
}

const LETTER_X = 0x78

const ruleOfExtension = (text: string, from: number, length: number): RequestRule => {
  switch (length) {
    case 9:
      return hasToken(text, from, 'x-real-ip') ? 'forwarded-other' : 'keep'
    case 12:
      return hasToken(text, from, 'x-request-id') ? 'request-id' : 'keep'
    case 15:
      if (hasToken(text, from, 'x-forwarded-for')) return 'forwarded-for'
      return hasToken(text, from, 'x-request-start') ? 'request-start' : otherForwarded(text, from)
    case 16:
      return hasToken(text, from, 'x-forwarded-host')
        ? 'forwarded-host'
        : otherForwarded(text, from)
    case 17:
      return hasToken(text, from, 'x-forwarded-proto')
        ? 'forwarded-proto'
        : otherForwarded(text, from)
    default:
      return length > 12 ? otherForwarded(text, from) : 'keep'
  }
}

/** X-Forwarded-Port, -Prefix, -Server, -Ssl, and whatever is invented next. */
const otherForwarded = (text: string, from: number): RequestRule => {
  if (hasToken(text, from, 'x-forwarded-')) return 'forwarded-other'
  // Who believes these lets their bearer in: only we say them, of certificates that we have verified.
  return hasToken(text, from, 'x-client-cert') ? 'drop' : 'keep'
}

const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

const PROTECTED_IN_REQUESTS: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'transfer-encoding',
  'x-real-ip',
  'x-request-id',
  'x-request-start',
])

const NEVER_AFTER_CONTENT: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  // llhttp, and Node with it, takes it for Connection.
  'proxy-connection',
  'transfer-encoding',
])

const NEVER_TRAILERS: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expires',
  'location',
  'max-forwards',
  'pragma',
  'range',
  'retry-after',
  'set-cookie',
  'te',
  'trailer',
  'vary',
  'warning',
  'www-authenticate',
])
