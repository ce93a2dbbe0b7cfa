/**
 * Heads as they leave this proxy: what we say ourselves comes after what was kept, in one order and
 * one form. Kept lines cannot contradict it, because field-rules.ts has taken their like out.
 *
 * Neither Via nor Server is added. RFC 9110 §7.6.3 wants a Via from a gateway, but targets take it
 * for a proxy's cache and leave out compression (nginx: `gzip_proxied off`), which costs users more.
 */
import { framingLines } from './framing.ts'
import { REQUEST_ID_CHARACTERS_MAX } from './limits.ts'
import type { RequestHead } from './request.ts'
import type { ResponseHead } from './response-head.ts'
import type { ServedIdentity, TlsSession } from '../transport/tls-terms.ts'

/** Who is at the other end of a client connection. Made once per connection. */
export interface Peer {
  /** An IP address; IPv4 mapped into IPv6 is shown as IPv4, a zone is left out. */
  readonly address: string
  readonly scheme: 'http' | 'https'
  /** A proxy in front of us: what it says about the client is kept and extended. */
  readonly trusted: boolean
  /** The forwarding fields that are the same for every request of an untrusted peer. */
  readonly lines: string
  /** About the certificate that it has shown; '' for none. */
  readonly certificateLines: string
  /** Whom it took us for; undefined in clear text. */
  readonly identity: ServedIdentity | undefined
}

/** What TLS has said of a connection. */
export type PeerSession = Pick<TlsSession, 'identity' | 'clientCertificate'>

/** What a target wants of the head. Made once per target. */
export interface Destination {
  readonly hostHeader: 'preserve' | 'target'
  /** The target's own host and port. */
  readonly authority: string
  /** '' or `/prefix`, without a trailing slash. */
  readonly basePath: string
}

/** `remoteAddress` as the socket gives it. */
export const createPeer = (
  remoteAddress: string,
  scheme: Peer['scheme'],
  trusted: boolean,
  session?: PeerSession,
): Peer => {
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  const certificateLines = linesOfCertificate(session?.clientCertificate)
  const lines = `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${scheme}\r\n${certificateLines}`
  return { address, scheme, trusted, lines, certificateLines, identity: session?.identity }
}

/** What a target is to know of a client's certificate. Nobody else can say it: field-rules.ts drops theirs. */
const linesOfCertificate = (certificate: PeerSession['clientCertificate']): string => {
  if (certificate === undefined) return ''
  const { subject, serialNumber, fingerprint256 } = certificate
  const fingerprint = fingerprint256.replaceAll(':', '').toLowerCase()
  return (
    `X-Client-Cert-Subject: ${inOneLine(subject)}\r\nX-Client-Cert-Serial: ${serialNumber}\r\n` +
    `X-Client-Cert-Fingerprint: ${fingerprint}\r\n`
  )
}

/** Node has a line for each part of a name, and a name may hold any character: `CN=a, O=b%0d`. */
const inOneLine = (subject: string): string =>
  subject
    .split('\n')
    .map((part) => part.replace(/[^ -~]|[%,]/g, (character) => encodeURIComponent(character)))
    .join(', ')

/** The id that a trusted peer has given this request already; '' when there is none to keep. */
export const keptRequestId = (head: RequestHead, peer: Peer): string =>
  peer.trusted && REQUEST_ID.test(head.requestId) ? head.requestId : ''

/** The request head for a target, complete with its empty line. `nowMs` is Unix time. */
export const forwardedRequestHead = (
  head: RequestHead,
  peer: Peer,
  destination: Destination,
  requestId: string,
  nowMs: number,
): string => {
  const path = head.target === '*' ? '*' : destination.basePath + head.target
  const host =
    destination.hostHeader === 'target' || head.authority === ''
      ? destination.authority
      : head.authority
  return `${head.method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${head.fields}${framingLines(
    head.contentLength,
    head.chunked,
  )}${forwardingLines(head, peer, nowMs)}X-Request-ID: ${requestId}\r\n${requestConnectionLines(head)}\r\n`
}

/**
 * The response head for a client, complete with its empty line. `keepAlive`: the connection to the
 * client stays open. A client of HTTP/1.0 gets a chunked body unframed (RFC 9112 §6.1) and ends it
 * by the close, so for it `keepAlive` must be false then; and no 1xx may be sent to it at all.
 */
export const forwardedResponseHead = (
  head: ResponseHead,
  clientMinorVersion: 0 | 1,
  keepAlive: boolean,
): string =>
  `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.fields}${framingLines(
    head.contentLength,
    head.chunked && clientMinorVersion === 1,
  )}${responseConnectionLines(head, clientMinorVersion, keepAlive)}\r\n`

/** Has the proxy speak too, unless the target has said the same field itself: it knows better. */
export const addOwnField = (head: ResponseHead, line: string): void => {
  const name = `\r\n${line.slice(0, line.indexOf(':') + 1).toLowerCase()}`
  if (!`\r\n${head.fields}`.toLowerCase().includes(name)) head.fields += line
}

/** What goes into X-Request-ID, logs and our own answers: nothing that needs quoting anywhere. */
const REQUEST_ID = new RegExp(`^[\\w.:@/+=-]{1,${REQUEST_ID_CHARACTERS_MAX}}$`)

const forwardingLines = (head: RequestHead, peer: Peer, nowMs: number): string => {
  if (peer.trusted) return extendedForwardingLines(head, peer, nowMs)
  const host = head.authority === '' ? '' : `X-Forwarded-Host: ${head.authority}\r\n`
  return peer.lines + host + requestStartLine(nowMs)
}

/** Many requests begin within one millisecond, and to write a number is slow. */
const requestStartLine = (nowMs: number): string => {
  if (nowMs !== lineOfMs) {
    lineOfMs = nowMs
    lastLine = `X-Request-Start: t=${nowMs}\r\n`
  }
  return lastLine
}
let lineOfMs = 0
let lastLine = ''

/** A trusted peer is one more hop for X-Forwarded-For, and knows better about everything else. */
const extendedForwardingLines = (head: RequestHead, peer: Peer, nowMs: number): string => {
  const chain = head.forwardedFor === '' ? peer.address : `${head.forwardedFor}, ${peer.address}`
  const proto = head.forwardedProto === '' ? peer.scheme : head.forwardedProto
  const host = head.forwardedHost === '' ? head.authority : head.forwardedHost
  const start = head.requestStart === '' ? `t=${nowMs}` : head.requestStart
  return (
    `X-Forwarded-For: ${chain}\r\nX-Forwarded-Proto: ${proto}\r\n` +
    (host === '' ? '' : `X-Forwarded-Host: ${host}\r\n`) +
    `X-Request-Start: ${start}\r\n${head.forwardedOther}${peer.certificateLines}`
  )
}

/** RFC 9110 §7.6.1: whoever sends TE or Upgrade names it in Connection. */
const requestConnectionLines = (head: RequestHead): string => {
  if (head.upgrade !== '') return `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`
  return head.acceptsTrailers ? 'Connection: TE\r\nTE: trailers\r\n' : ''
}

const responseConnectionLines = (
  head: ResponseHead,
  clientMinorVersion: 0 | 1,
  keepAlive: boolean,
): string => {
  if (head.status === 101) return `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`
  if (head.status < 200) return ''
  if (head.upgrade !== '') return upgradeOffer(head, keepAlive)
  if (!keepAlive) return 'Connection: close\r\n'
  return clientMinorVersion === 0 ? 'Connection: keep-alive\r\n' : ''
}

/** RFC 9110 §15.5.22: a 426 says which protocol is required. */
const upgradeOffer = (head: ResponseHead, keepAlive: boolean): string =>
  `Connection: ${keepAlive ? 'Upgrade' : 'close, Upgrade'}\r\nUpgrade: ${head.upgrade}\r\n`
