/**
 * A target is one upstream address of a release: `http://10.0.0.5:3000`, `https://app.internal/base`
 * or `unix:/run/app.sock`. A path in the URL is a prefix for traffic and for health checks alike.
 *
 * The scheme says all about how a target is spoken to. `h2c` and `h2` are HTTP/2 without and with TLS,
 * and `unix+h2c` is HTTP/2 over a socket; nothing is negotiated that a target has not been declared for.
 */

/** Where a target is reached, and how. */
export type TargetAddress =
  | {
      readonly kind: 'tcp'
      /** Absent: it is spoken to in HTTP/1.1. */
      readonly http2?: true
      readonly tls: boolean
      readonly hostname: string
      readonly port: number
      /** '' or `/prefix`, without a trailing slash. */
      readonly basePath: string
    }
  | {
      readonly kind: 'unix'
      readonly http2?: true
      readonly socketPath: string
      readonly basePath: ''
    }

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
  if (trimmed.startsWith('unix:')) return parseSocket(trimmed, 'unix:', HTTP1)
  if (trimmed.startsWith('unix+h2c:')) return parseSocket(trimmed, 'unix+h2c:', HTTP2)
  const name = /^([a-z0-9+.-]+):\/\//i.exec(trimmed)?.[1]?.toLowerCase()
  const scheme = name === undefined ? undefined : SCHEMES.get(name)
  // Only of the schemes of the web a URL knows what a host is, and brings it into its normal form.
  const url = URL.parse(
    scheme === undefined
      ? trimmed
      : `${scheme.tls ? 'https' : 'http'}${trimmed.slice(name?.length)}`,
  )
  if (url === null || name === undefined) {
    return { problem: `"${text}" is not a URL; expected http://host:port or unix:/path` }
  }
  if (scheme === undefined) {
    const near = GRPC_SCHEMES.get(name) ?? 'expected http, https, h2c, h2 or unix'
    return { problem: `"${text}" has the scheme ${name}; ${near}` }
  }
  if (url.username !== '' || url.password !== '') {
    return { problem: 'carries a user name or password; targets are reached without credentials' }
  }
  if (url.search !== '' || url.hash !== '') {
    return { problem: `"${text}" has a query or fragment; expected only a path prefix` }
  }
  const { tls, version } = scheme
  const defaultPort = tls ? 443 : 80
  const port = url.port === '' ? defaultPort : Number(url.port)
  if (port === 0) return { problem: `"${text}" has the port 0; expected 1 to 65535` }
  const basePath = url.pathname.replace(/\/+$/, '')
  return {
    address: {
      kind: 'tcp',
      ...version,
      tls,
      hostname: withoutBrackets(url.hostname),
      port,
      basePath,
    },
    url: `${name}://${url.hostname}:${port}${basePath}`,
  }
}

type Version = Pick<TargetAddress, 'http2'>
const HTTP1: Version = {}
const HTTP2: Version = { http2: true }

const SCHEMES: ReadonlyMap<string, { readonly tls: boolean; readonly version: Version }> = new Map([
  ['http', { tls: false, version: HTTP1 }],
  ['https', { tls: true, version: HTTP1 }],
  ['h2c', { tls: false, version: HTTP2 }],
  ['h2', { tls: true, version: HTTP2 }],
])

const GRPC_SCHEMES: ReadonlyMap<string, string> = new Map([
  ['grpc', 'gRPC is spoken over h2c:// or, with TLS, h2://'],
  ['grpcs', 'gRPC with TLS is spoken over h2://'],
])

const parseSocket = (text: string, scheme: string, version: Version): ParsedTarget => {
  const socketPath = text.slice(scheme.length).replace(/^\/\/(?=\/)/, '')
  if (socketPath === '') {
    return { problem: `"${scheme}" has no path; expected ${scheme}/run/app.sock` }
  }
  const bytes = new TextEncoder().encode(socketPath).length
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    return {
      problem: `the socket path has ${bytes} bytes; at most ${SOCKET_PATH_BYTES_MAX} fit`,
    }
  }
  if (socketPath.includes('\0')) return { problem: 'the socket path has a zero byte' }
  return {
    address: { kind: 'unix', ...version, socketPath, basePath: '' },
    url: `${scheme}${socketPath}`,
  }
}

const withoutBrackets = (hostname: string): string =>
  hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
