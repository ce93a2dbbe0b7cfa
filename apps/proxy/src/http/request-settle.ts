/**
 * What the parts of a request head say together: whom it is for, how its body is framed, and what
 * becomes of the connection. Contradictions are refused here.
 */
import { hostOfAuthority } from '@gatehouse/domain'
import { parseConnection, withoutFields } from './connection-options.ts'
import { isProtectedInRequest } from './field-rules.ts'
import { NO_LENGTH } from './framing.ts'
import type { RequestNotes } from './request-fields.ts'
import type { RequestHead } from './request.ts'

export const settleRequest = (head: RequestHead, notes: RequestNotes): 0 | 400 =>
  settleHost(head, notes) || settleBody(head) || settleConnection(head, notes)

/** RFC 9112 §3.2: exactly one valid Host, which HTTP/1.0 may leave out. */
const settleHost = (head: RequestHead, notes: RequestNotes): 0 | 400 => {
  const { hosts, targetAuthority } = notes
  if (hosts > 1 || (hosts === 0 && head.minorVersion === 1)) return 400
  const authority = targetAuthority === '' ? notes.host : targetAuthority
  if (authority !== head.authority) {
    head.authority = authority
    head.host = authority === '' ? undefined : hostOfAuthority(authority)
  }
  if (head.host === undefined) return hosts === 0 && authority === '' ? 0 : 400
  // RFC 9112 §3.2.2 lets the target win in silence; a Host that names somebody else is an attack.
  const contradicts =
    targetAuthority !== '' && hosts === 1 && hostOfAuthority(notes.host) !== head.host
  return contradicts ? 400 : 0
}

/** RFC 9112 §6.1: both ways to frame one body, or chunks from before there were any, are an attack. */
const settleBody = (head: RequestHead): 0 | 400 =>
  head.chunked && (head.contentLength !== NO_LENGTH || head.minorVersion === 0) ? 400 : 0

/** RFC 9112 §9.3 for persistence, RFC 9110 §7.6.1 for what else is named. */
const settleConnection = (head: RequestHead, notes: RequestNotes): 0 | 400 => {
  head.keepAlive = head.minorVersion === 1
  if (notes.connection === '') return 0
  if (notes.connection === 'keep-alive') {
    head.keepAlive = true
    return 0
  }
  const options = parseConnection(notes.connection)
  if (options === undefined || options.nominated.some(isProtectedInRequest)) return 400
  head.keepAlive = !options.close && (head.keepAlive || options.keepAlive)
  if (options.upgrade) settleUpgrade(head, notes)
  if (options.nominated.length > 0) {
    head.fields = withoutFields(head.fields, options.nominated)
  }
  return 0
}

/**
 * RFC 9110 §7.8: an upgrade may always be ignored. We ignore it in HTTP/1.0, as we must, with a body,
 * whose end would have to be found under two protocols, and for HTTP itself and TLS, which would
 * carry further requests past every rule in this folder.
 */
const settleUpgrade = (head: RequestHead, notes: RequestNotes): void => {
  const protocol = notes.upgrade.toLowerCase()
  const hasBody = head.chunked || head.contentLength > 0
  if (head.minorVersion === 0 || hasBody || !UPGRADE.test(protocol)) return
  if (!NEVER_UPGRADED.test(protocol)) head.upgrade = protocol
}

/** One protocol name, perhaps with a version. */
const UPGRADE = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:\/[a-z0-9!#$%&'*+.^_`|~-]+)?$/
const NEVER_UPGRADED = /^(?:h2c?|http|tls)(?:\/|$)/
