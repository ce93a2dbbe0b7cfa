/** What is known of a request once its head has been read. */
import { NO_LENGTH } from './framing.ts'

/** One mutable object, filled by every parse: read it before the next one. */
export interface RequestHead extends RequestFields {
  /** One of METHODS. */
  method: string
  /** Path and query exactly as received, or `*`. The absolute form is brought to this one. */
  target: string
  minorVersion: 0 | 1
}

/** What the fields of a head say. */
export interface RequestFields {
  /** In normal form; undefined only for HTTP/1.0 without Host. */
  host: string | undefined
  /** The Host as received, or the authority of an absolute target, which wins; '' for none. */
  authority: string
  /** Octets of the body; -1 when no length was given. */
  contentLength: number
  chunked: boolean
  /** The client wants another request on this connection. */
  keepAlive: boolean
  /** The protocol in lower case when both Connection and Upgrade ask for one; '' otherwise. */
  upgrade: string
  /** Expect: 100-continue. The field is kept among `fields`: the target decides. */
  expectContinue: boolean
  /** TE: trailers. */
  acceptsTrailers: boolean
  /** For answers of our own; '' for none. */
  accept: string
  /** What an earlier proxy said, '' for nothing. To be believed from a trusted peer only. */
  forwardedFor: string
  forwardedProto: string
  forwardedHost: string
  requestId: string
  requestStart: string
  /** Lines of Forwarded, X-Real-IP and other X-Forwarded-* fields, likewise. */
  forwardedOther: string
  /** The kept lines, each with its CRLF. No Host, no framing: those are written anew. */
  fields: string
}

/** Why a head is refused, as the status to answer. */
export type RequestRefusal = 400 | 405 | 414 | 417 | 431 | 501 | 505

export const createRequestHead = (): RequestHead => ({
  method: '',
  target: '',
  minorVersion: 1,
  host: undefined,
  authority: '',
  contentLength: NO_LENGTH,
  chunked: false,
  keepAlive: false,
  upgrade: '',
  expectContinue: false,
  acceptsTrailers: false,
  accept: '',
  forwardedFor: '',
  forwardedProto: '',
  forwardedHost: '',
  requestId: '',
  requestStart: '',
  forwardedOther: '',
  fields: '',
})

export const copyFields = (from: Readonly<RequestFields>, to: RequestFields): void => {
  to.host = from.host
  to.authority = from.authority
  to.contentLength = from.contentLength
  to.chunked = from.chunked
  to.keepAlive = from.keepAlive
  to.upgrade = from.upgrade
  to.expectContinue = from.expectContinue
  to.acceptsTrailers = from.acceptsTrailers
  to.accept = from.accept
  to.forwardedFor = from.forwardedFor
  to.forwardedProto = from.forwardedProto
  to.forwardedHost = from.forwardedHost
  to.requestId = from.requestId
  to.requestStart = from.requestStart
  to.forwardedOther = from.forwardedOther
  to.fields = from.fields
}
