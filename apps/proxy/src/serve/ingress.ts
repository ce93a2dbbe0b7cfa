/**
 * What a service asks of the way that its clients come by: over TLS, under one name, with a certificate
 * of their own. It is decided from the head alone, before the service is asked for anything.
 */
import type { Ingress } from '@gatehouse/domain'
import type { OwnAnswer } from '../http/answer.ts'
import type { Peer } from '../http/forward-head.ts'
import type { RequestHead } from '../http/request.ts'

const HTTPS_PORT = 443

/** Where a request has to go instead; undefined when it came by the right way. */
export const redirectOf = (
  { forceHttps, canonicalHost, hstsSeconds }: Ingress,
  head: RequestHead,
  peer: Peer,
  securePort: number | undefined,
): OwnAnswer | undefined => {
  const { host } = head
  if (host === undefined) return undefined
  const secure = isSecure(head, peer)
  const moves = canonicalHost !== undefined && canonicalHost !== host
  if ((secure || !forceHttps) && !moves) return undefined
  const scheme = secure || forceHttps ? 'https' : 'http'
  const asked = portOf(head.authority)
  // Who has named a port came past a default: over TLS, ours has another one.
  const port = scheme === 'https' && !secure && asked !== '' ? portText(securePort) : asked
  const path = head.target === '*' ? '/' : head.target
  const location = `${scheme}://${canonicalHost ?? host}${port}${path}`
  return {
    status: PERMANENT_REDIRECT,
    lines: `Location: ${location}\r\n${secure ? strictTransport(hstsSeconds) : ''}`,
    text: `this is at ${location}\n`,
  }
}

/**
 * RFC 9110 §15.5.20: the connection was made to somebody else. A client that has shown a certificate, or
 * none, to one service must not reach another's over the same connection.
 */
export const isMisdirected = (
  clientCa: string | undefined,
  { host }: RequestHead,
  { identity }: Peer,
): boolean => {
  if (clientCa !== undefined && identity?.clientAuthority !== clientCa) return true
  return identity !== undefined && host !== undefined && !identity.covers(host)
}

/** The field line that every answer of the service gets; '' for none. */
export const ownFieldsOf = (ingress: Ingress | undefined, head: RequestHead, peer: Peer): string =>
  ingress?.hstsSeconds !== undefined && isSecure(head, peer)
    ? strictTransport(ingress.hstsSeconds)
    : ''

/** RFC 6797 §7.2: said over TLS alone. */
const strictTransport = (hstsSeconds: number | undefined): string =>
  hstsSeconds === undefined ? '' : `Strict-Transport-Security: max-age=${hstsSeconds}\r\n`

/** RFC 9110 §15.4.9: unlike 301, it lets nobody turn a POST into a GET. */
const PERMANENT_REDIRECT = 308

/** Over TLS to us, or to the trusted proxy in front of us. */
const isSecure = ({ forwardedProto }: RequestHead, { scheme, trusted }: Peer): boolean =>
  scheme === 'https' || (trusted && forwardedProto.toLowerCase() === 'https')

/** With its colon; '' for none. */
const portOf = (authority: string): string => /:\d+$/.exec(authority)?.[0] ?? ''

const portText = (port: number | undefined): string =>
  port === undefined || port === HTTPS_PORT ? '' : `:${port}`
