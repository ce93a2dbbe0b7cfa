/**
 * The forms of a request target. Whichever arrives, the origin form leaves: path and query exactly
 * as they were sent, because a path that we tidied up could mean something else to the target.
 */
import type { RequestNotes } from './request-fields.ts'
import type { RequestHead } from './request.ts'

/** RFC 9112 §3.2: origin form, absolute form, or `*` for OPTIONS. */
export const readTarget = (target: string, head: RequestHead, notes: RequestNotes): 0 | 400 => {
  head.target = target
  if (target === '*') return head.method === 'OPTIONS' ? 0 : 400
  if (!target.startsWith('/') && !readAbsoluteTarget(target, head, notes)) return 400
  return hasZeroInPath(head.target) ? 400 : 0
}

/** RFC 9112 §3.2.2: `http://authority/path?query`. User names in it are refused with the host. */
const readAbsoluteTarget = (target: string, head: RequestHead, notes: RequestNotes): boolean => {
  const [, authority, rest = ''] = /^https?:\/\/([^/?]+)(.*)$/i.exec(target) ?? []
  if (authority === undefined) return false
  notes.targetAuthority = authority
  // RFC 9112 §3.2.4: OPTIONS for an authority without a path is meant for the server as a whole.
  if (rest === '' && head.method === 'OPTIONS') head.target = '*'
  else head.target = rest.startsWith('/') ? rest : `/${rest}`
  return true
}

/** `%00` cuts a path short for whoever decodes it into a C string. In a query it is mere data. */
const hasZeroInPath = (target: string): boolean => {
  const zero = target.indexOf('%00')
  return zero >= 0 && !target.slice(0, zero).includes('?')
}
