/**
 * One health attempt at one target: a request on a connection of its own, judged by its status alone.
 * Redirects are answers like any other and are not followed. What went wrong comes back as a sentence.
 */
import { isIP } from 'node:net'
import type { HealthCheck, HostPattern, Release, Target } from '@gatehouse/domain'
import { DEFAULT_HOST, parseTarget, type TargetAddress } from '@gatehouse/domain'
import { buildConnector, Client, type Dispatcher } from 'undici'
import { causeOf } from './probe-cause.ts'

export type Probe =
  | { readonly kind: 'passed'; readonly status: number }
  | ({ readonly kind: 'failed' } & ProbeFailure)
  /** The time that the caller gave ran out before the attempt's own. It says little about the target. */
  | ({ readonly kind: 'cut' } & ProbeFailure)
  /** The caller's signal ended it. */
  | { readonly kind: 'aborted' }

export interface ProbeFailure {
  /** One sentence: `GET http://10.0.0.5:3000/up answered 503, expected 200-399`. */
  readonly reason: string
  readonly status?: number
  /** The first characters of the answer's body, control characters replaced. */
  readonly excerpt?: string
}

export interface ProbeOptions {
  readonly target: Target
  readonly health: HealthCheck
  /** The hosts of the release: the first exact one is sent when the check names none. */
  readonly hosts: readonly HostPattern[]
  /** As requests are going to do it: a check that trusted more or less would say nothing about them. */
  readonly tls: Release['tls']
  /** How long the caller can wait at most; the attempt's own limit holds as well. */
  readonly withinMs: number
  readonly signal: AbortSignal
}

export const EXCERPT_CHARACTERS_MAX = 512

/** A body is read for the excerpt, and so that a target sees its answer taken; not for longer. */
const BODY_WITHIN_MS = 200
const BODY_BYTES_MAX = 16_384

/** Beyond the attempt's time, so that it is always the attempt that ends and not the connect alone. */
const CONNECT_MARGIN_MS = 1_000

const USER_AGENT = 'gatehouse-health'

/** Never throws for what a target does; a target URL that is none is the one broken promise. */
export const probe = async (options: ProbeOptions): Promise<Probe> => {
  const { target, health, signal, withinMs } = options
  const parsed = parseTarget(target.url)
  if ('problem' in parsed) throw new Error(`Cannot probe a target: ${parsed.problem}`)
  const { address } = parsed
  const limitMs = Math.ceil(Math.min(health.attemptMs, withinMs))
  const about = describe(health, target, address)

  const timeout = AbortSignal.timeout(limitMs)
  const either = AbortSignal.any([signal, timeout])
  const client = connectTo(address, options.tls, limitMs + CONNECT_MARGIN_MS)
  try {
    const answer = await client.request({
      method: health.method,
      path: `${address.basePath}${health.path}`,
      headers: { host: hostOf(options, address), 'user-agent': USER_AGENT, accept: '*/*' },
      signal: either,
    })
    const excerpt = await readExcerpt(answer.body)
    const status = answer.statusCode
    if (status >= health.statusMin && status <= health.statusMax) return { kind: 'passed', status }
    const reason = `${about} answered ${status}, expected ${health.statusMin}-${health.statusMax}`
    return { kind: 'failed', reason, status, ...(excerpt === '' ? {} : { excerpt }) }
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' }
    if (timeout.aborted) {
      const reason = `${about} did not answer within ${limitMs} ms`
      return { kind: limitMs < health.attemptMs ? 'cut' : 'failed', reason }
    }
    return { kind: 'failed', reason: `${about} ${causeOf(error)}` }
  } finally {
    await client.destroy()
  }
}

/** `GET http://10.0.0.5:3000/base/up`, or `GET /up on unix:/run/app.sock`. */
const describe = (health: HealthCheck, target: Target, address: TargetAddress): string =>
  address.kind === 'unix'
    ? `${health.method} ${health.path} on ${target.url}`
    : `${health.method} ${target.url}${health.path}`

/** The name that a check sends: its own, else the release's first exact one, else the target's. */
const hostOf = (options: ProbeOptions, address: TargetAddress): string => {
  const exact = options.hosts.find((host) => host !== DEFAULT_HOST && !host.startsWith('*'))
  return options.health.host ?? exact ?? authorityOf(address)
}

const authorityOf = (address: TargetAddress): string => {
  if (address.kind === 'unix') return 'localhost'
  return `${bracketed(address.hostname)}:${address.port}`
}

const bracketed = (hostname: string): string => (isIP(hostname) === 6 ? `[${hostname}]` : hostname)

/** A client of one connection, so that an attempt never meets a pooled socket that died meanwhile. */
const connectTo = (address: TargetAddress, trust: Release['tls'], connectMs: number): Client => {
  const settings = { allowH2: false, headersTimeout: 0, bodyTimeout: 0 } as const
  if (address.kind === 'unix') {
    const connect = { socketPath: address.socketPath, timeout: connectMs }
    return new Client('http://localhost', { ...settings, connect })
  }
  const { tls, hostname, port } = address
  const origin = `${tls ? 'https' : 'http'}://${bracketed(hostname)}:${port}`
  const { verify = true, serverName = hostname } = trust ?? {}
  const connector = buildConnector({
    allowH2: false,
    timeout: connectMs,
    rejectUnauthorized: verify,
  })
  // The certificate has to be the target's own: undici would ask for the name in the Host field.
  const connect: buildConnector.connector = (options, callback) =>
    connector(
      tls ? { ...options, servername: isIP(serverName) === 0 ? serverName : '' } : options,
      callback,
    )
  return new Client(origin, { ...settings, connect })
}

const readExcerpt = async (body: Dispatcher.ResponseData['body']): Promise<string> => {
  const chunks: Buffer[] = []
  let bytes = 0
  const enough = setTimeout(() => body.destroy(), BODY_WITHIN_MS)
  try {
    for await (const chunk of body) {
      // undici's body is a stream of bytes as long as nobody sets an encoding.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const part = chunk as Buffer
      chunks.push(part)
      bytes += part.length
      if (bytes >= BODY_BYTES_MAX) break
    }
  } catch {
    // The status is here already, and it decides; a body that breaks off only shortens the excerpt.
    body.destroy()
  } finally {
    clearTimeout(enough)
  }
  return printable(Buffer.concat(chunks).toString('utf8'))
}

/** What may stand in a log, a terminal or a page: no control characters, and not too long. */
export const printable = (text: string): string =>
  text
    .slice(0, EXCERPT_CHARACTERS_MAX)
    .toWellFormed()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\p{C}/gu, '\uFFFD')
    .trim()
