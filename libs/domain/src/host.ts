/**
 * Host names, as a spec writes them and as a request carries them.
 *
 * A service owns *host patterns*: an exact name, a wildcard (`*.example.com`) or `default`. A request
 * carries an *authority* (`Example.COM:8443`). Both are brought to one normal form here, so that
 * everything else compares plain strings: lower case, ASCII (IDNA), no port, no trailing dot.
 */

/** A host pattern in normal form: `example.com`, `*.example.com` or `default`. */
export type HostPattern = string

/** The pattern that answers for every host that nothing else matches. */
export const DEFAULT_HOST: HostPattern = 'default'

/** RFC 1035 §2.3.4: a name has at most 253 characters in its textual form, a label at most 63. */
const HOST_CHARACTERS_MAX = 253
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/
const IPV6 = /^\[[0-9a-f:.]+\]$/

export type ParsedHostPattern = { readonly pattern: HostPattern } | { readonly problem: string }

/** Reads a host as somebody wrote it in a spec. The problem is a clause that fits after `hosts[0]: `. */
export const parseHostPattern = (text: string): ParsedHostPattern => {
  const name = withoutTrailingDot(text.trim().toLowerCase())
  if (name === '') return { problem: 'is empty; expected a host name such as app.example.com' }
  if (name === DEFAULT_HOST) return { pattern: DEFAULT_HOST }
  if (name.includes('://') || name.includes('/')) {
    return { problem: `"${text}" looks like a URL; expected only its host name` }
  }
  const wildcard = name.startsWith('*.')
  const bare = wildcard ? name.slice(2) : name
  if (bare.includes('*')) {
    return {
      problem: `"${text}" has a * that is not the whole first label; expected *.example.com`,
    }
  }
  if (!wildcard && IPV6.test(bare)) return { pattern: bare }
  if (/^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*$/.test(bare)) {
    return { problem: `"${text}" is an IPv6 address without brackets; expected [${bare}]` }
  }
  if (/:\d*$/.test(bare)) {
    return { problem: `"${text}" has a port; hosts are matched without it` }
  }
  const ascii = toAscii(bare)
  if (ascii === undefined) return { problem: `"${text}" is not a valid host name` }
  return { pattern: wildcard ? `*.${ascii}` : ascii }
}

/**
 * The host of a request in normal form, from its Host field or authority; undefined when it is not
 * valid (RFC 9110 §7.2, RFC 3986 §3.2.2), which a proxy answers with 400.
 */
export const hostOfAuthority = (authority: string): string | undefined => {
  const host = withoutPort(authority)
  if (host === undefined || host.length > HOST_CHARACTERS_MAX + 1) return undefined
  const name = withoutTrailingDot(host.toLowerCase())
  if (IPV6.test(name)) return name
  return isName(name) ? name : undefined
}

/** Whether the pattern answers for the host by itself, leaving aside which pattern wins. */
export const patternCovers = (pattern: HostPattern, host: string): boolean =>
  pattern === DEFAULT_HOST ||
  pattern === host ||
  (pattern.startsWith('*.') && host.length > pattern.length - 1 && host.endsWith(pattern.slice(1)))

const withoutPort = (authority: string): string | undefined => {
  const colon = authority.lastIndexOf(':')
  if (colon < 0 || authority.endsWith(']')) return authority
  return /^\d{0,5}$/.test(authority.slice(colon + 1)) ? authority.slice(0, colon) : undefined
}

const withoutTrailingDot = (name: string): string =>
  name.length > 1 && name.endsWith('.') ? name.slice(0, -1) : name

const isName = (name: string): boolean =>
  name.length <= HOST_CHARACTERS_MAX && name.split('.').every((label) => LABEL.test(label))

/**
 * IDNA (UTS 46) as the URL standard does it, so that `bücher.example` is what browsers send. What else
 * a URL reads besides a host (user@, ?query, %41, line breaks that it drops) must not get that far.
 */
const toAscii = (name: string): string | undefined => {
  if (isName(name)) return name
  if (/[@?#\\%:[\]\s]/.test(name)) return undefined
  const ascii = URL.parse(`http://${name}`)?.hostname
  return ascii !== undefined && isName(ascii) ? ascii : undefined
}
