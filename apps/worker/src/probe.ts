/**
 * One health attempt at one target: a request on a connection of its own, judged by its status alone.
 * Redirects are answers like any other and are not followed. What went wrong comes back as a sentence.
 */
import { isIP } from 'node:net'
import type { HealthCheck, HostPattern, Release, Target } from '@gatehouse/domain'
import { DEFAULT_HOST, parseTarget, type TargetAddress } from '@gatehouse/domain'
import { buildConnector, Client, type Dispatcher } from 'undici'
import { causeOf } from './probe-cause.ts'
import { GRPC_HEALTH_PATH, grpcFields, grpcHealthOf, grpcHealthRequest } from './probe-grpc.ts'
import { askHttp2 } from './probe-http2.ts'

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
  const asking = { ...options, address, limitMs }

  const timeout = AbortSignal.timeout(limitMs)
  const either = AbortSignal.any([signal, timeout])
  try {
    if (health.grpc !== undefined) {
      const outcome = await askGrpc(asking, health.grpc, either)
      if (outcome === 'serving') return { kind: 'passed', status: 200 }
      return { kind: 'failed', reason: `${about} ${printable(outcome)}` }
    }
    const { status, excerpt } = await (address.http2 === true ? askByHttp2 : askByHttp1)(
      asking,
      either,
    )
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
  }
}

interface Asking extends ProbeOptions {
  readonly address: TargetAddress
  readonly limitMs: number
}

interface Answer {
  readonly status: number
  readonly excerpt: string
}

const askByHttp1 = async (asking: Asking, signal: AbortSignal): Promise<Answer> => {
  const { address, health, limitMs, tls } = asking
  const client = connectTo(address, tls, limitMs + CONNECT_MARGIN_MS)
  try {
    const answer = await client.request({
      method: health.method,
      path: `${address.basePath}${health.path}`,
      headers: { host: hostOf(asking, address), 'user-agent': USER_AGENT, accept: '*/*' },
      signal,
    })
    return { status: answer.statusCode, excerpt: await readExcerpt(answer.body) }
  } finally {
    await client.destroy()
  }
}

const askByHttp2 = async (asking: Asking, signal: AbortSignal): Promise<Answer> => {
  const { address, health, tls } = asking
  const { status, body } = await askHttp2({
    address,
    tls,
    headers: {
      ':method': health.method,
      ':path': `${address.basePath}${health.path}`,
      ':authority': hostOf(asking, address),
      'user-agent': USER_AGENT,
      accept: '*/*',
    },
    bodyWithinMs: BODY_WITHIN_MS,
    bodyBytesMax: BODY_BYTES_MAX,
    signal,
  })
  return { status, excerpt: printable(body.toString('utf8')) }
}

/** 'serving', or what it was instead. */
const askGrpc = async (asking: Asking, service: string, signal: AbortSignal): Promise<string> => {
  const { address, limitMs, tls } = asking
  const answer = await askHttp2({
    address,
    tls,
    headers: {
      ':method': 'POST',
      ':path': `${address.basePath}${GRPC_HEALTH_PATH}`,
      ':authority': hostOf(asking, address),
      'user-agent': USER_AGENT,
      ...grpcFields(limitMs),
    },
    body: grpcHealthRequest(service),
    // Its status comes last.
    bodyWithinMs: limitMs,
    bodyBytesMax: BODY_BYTES_MAX,
    signal,
  })
  return grpcHealthOf(answer, service)
}

/** `GET http://10.0.0.5:3000/base/up`, `GET /up on unix:/run/app.sock`, `gRPC health of h2c://10.0.0.5:3000`. */
const describe = (health: HealthCheck, target: Target, address: TargetAddress): string => {
  const { grpc, method, path } = health
  if (grpc !== undefined) return `gRPC health of ${grpc === '' ? '' : `"${grpc}" at `}${target.url}`
  return address.kind === 'unix'
    ? `${method} ${path} on ${target.url}`
    : `${method} ${target.url}${path}`
}

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
