/**
 * A target is one upstream address of a release: `http://10.0.0.5:3000`, `https://app.internal/base`
 * or `unix:/run/app.sock`. A path in the URL is a prefix for traffic and for health checks alike.
 */

/** Where a target is reached, and how. */
export type TargetAddress =
  | {
      readonly kind: 'tcp'
      readonly tls: boolean
      readonly hostname: string
      readonly port: number
      /** '' or `/prefix`, without a trailing slash. */
      readonly basePath: string
    }
  | { readonly kind: 'unix'; readonly socketPath: string; readonly basePath: '' }

export type ParsedTarget =
  { readonly address: TargetAddress; readonly url: string } | { readonly problem: string }

/** Linux keeps socket paths in 108 bytes, the terminating zero among them (unix(7)). */
const SOCKET_PATH_BYTES_MAX = 107

/**
 * Reads a target URL. `url` is its normal form, which names the target in events, tables and metrics.
 * The problem is a clause that fits after `target_url: `.
 */
export const parseTarget = (text: string): ParsedTarget => {
  const trimmed = text.trim()
  if (trimmed.startsWith('unix:')) return parseSocket(trimmed)
  const url = URL.parse(trimmed)
  if (url === null || !/^[a-z0-9+.-]+:\/\//i.test(trimmed)) {
    return { problem: `"${text}" is not a URL; expected http://host:port or unix:/path` }
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return {
      problem: `"${text}" has the scheme ${url.protocol.slice(0, -1)}; expected http, https or unix`,
    }
  }
  if (url.username !== '' || url.password !== '') {
    return { problem: 'carries a user name or password; targets are reached without credentials' }
  }
  if (url.search !== '' || url.hash !== '') {
    return { problem: `"${text}" has a query or fragment; expected only a path prefix` }
  }
  const tls = url.protocol === 'https:'
  const defaultPort = tls ? 443 : 80
  const port = url.port === '' ? defaultPort : Number(url.port)
  if (port === 0) return { problem: `"${text}" has the port 0; expected 1 to 65535` }
  const basePath = url.pathname.replace(/\/+$/, '')
  return {
    address: { kind: 'tcp', tls, hostname: withoutBrackets(url.hostname), port, basePath },
    url: `${url.protocol}//${url.hostname}:${port}${basePath}`,
  }
}

const parseSocket = (text: string): ParsedTarget => {
  const socketPath = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
  if (socketPath === '') return { problem: '"unix:" has no path; expected unix:/run/app.sock' }
  const bytes = new TextEncoder().encode(socketPath).length
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    return {
      problem: `the socket path has ${bytes} bytes; at most ${SOCKET_PATH_BYTES_MAX} fit`,
    }
  }
  if (socketPath.includes('\0')) return { problem: 'the socket path has a zero byte' }
  return { address: { kind: 'unix', socketPath, basePath: '' }, url: `unix:${socketPath}` }
}

const withoutBrackets = (hostname: string): string =>
  hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
