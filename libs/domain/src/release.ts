/**
 * A release is one deployed version of a service: what `deploy` declares, complete and immutable.
 * Every default is filled in before a release enters the log, so that a log reads the same for ever.
 */
import { parseHostPattern, type HostPattern } from './host.ts'
import { problemOfIngress, type Ingress } from './ingress.ts'
import { problemOfPathTimeouts, type PathTimeout } from './path-timeouts.ts'
import { parseTarget } from './target.ts'

export interface Release {
  /** The `target_id` of a spec: how people name this version. */
  readonly id: string
  readonly hosts: readonly HostPattern[]
  readonly targets: readonly Target[]
  readonly health: HealthCheck
  readonly drainMs: DrainMs
  readonly limits: Limits
  /** Where they differ for some paths and methods; absent when they do not. */
  readonly timeouts?: readonly PathTimeout[]
  /** How clients come; absent: in clear text, unless a certificate for the host is there anyway. */
  readonly ingress?: Ingress
  /** How `https` targets are spoken to; absent: verified, under their own names. */
  readonly tls?: TargetTls
  /** Whether targets see the public host name or their own. */
  readonly hostHeader: 'preserve' | 'target'
  /** Free labels: version, commit, ciUrl. They are shown and never interpreted. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface Target {
  /** In the normal form of `parseTarget`. */
  readonly url: string
}

export interface TargetTls {
  /** False: whoever answers is believed to be the target. */
  readonly verify: boolean
  /** The name that is asked for (SNI) and that the certificate must have; the target's own if absent. */
  readonly serverName?: string
}

export interface HealthCheck {
  /** A release is activated without any check. Its requests may well be 502. */
  readonly skip: boolean
  readonly path: string
  readonly method: 'GET' | 'HEAD'
  /**
   * The service that a gRPC server is asked about instead (grpc.health.v1), '' for all of it. Path, method
   * and status do not matter then.
   */
  readonly grpc?: string
  /** The Host that a check sends; the first exact host of the release when absent. */
  readonly host?: string
  /** The lowest and highest status that count as healthy. Redirects are not followed. */
  readonly statusMin: number
  readonly statusMax: number
  /** How long a release may take to become healthy, all attempts together. */
  readonly timeoutMs: number
  /** From the end of one attempt to the start of the next. */
  readonly intervalMs: number
  /** How long one attempt may take. */
  readonly attemptMs: number
  /** Consecutive passes that bring an ejected target back, and failures that eject one. */
  readonly rise: number
  readonly fall: number
  /** `all`: every target must pass. `any`: those that fail start ejected, one must pass. */
  readonly require: 'all' | 'any'
}

/** How long work in flight may go on once a release drains. */
export type DrainMs = number | 'infinity'

/** Per proxy and target, where it says so; a limit that is hit has a status of its own. */
export interface Limits {
  /** TCP (and TLS) connect to a target: 502 or 504. */
  readonly connectMs: number
  /** From the request's last byte to the response head: 504. */
  readonly responseMs: number
  /** Silence while a body flows, either way. */
  readonly idleMs: number
  /** Silence on an upgraded connection. */
  readonly upgradedIdleMs: number
  /** The largest message that a client may send into a WebSocket, as sent, so compressed if it is; absent: any. */
  readonly webSocketMessageBytesMax?: number
  /** A larger request body is answered 413. */
  readonly requestBytesMax: number | 'unlimited'
  /** Connections that one proxy opens to one target at most; those that are upgraded do not count. */
  readonly connectionsMax: number
  /** Requests that wait for one of those connections; the next one is answered 503. */
  readonly queueMax: number
}

export const HEALTH_DEFAULTS: HealthCheck = {
  skip: false,
  path: '/up',
  method: 'GET',
  statusMin: 200,
  statusMax: 399,
  timeoutMs: 5_000,
  intervalMs: 1_000,
  attemptMs: 5_000,
  rise: 2,
  fall: 3,
  require: 'all',
}

export const DRAIN_MS_DEFAULT = 30_000

export const LIMIT_DEFAULTS: Limits = {
  connectMs: 5_000,
  responseMs: 30_000,
  idleMs: 60_000,
  upgradedIdleMs: 3_600_000,
  requestBytesMax: 'unlimited',
  connectionsMax: 256,
  queueMax: 1_024,
}

/** Names of services and releases: what fits a URL, a label and a file name without quoting. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
export const HOSTS_MAX = 100
export const TARGETS_MAX = 100
const METADATA_MAX = 32
const METADATA_CHARACTERS_MAX = 1_024

/** What is wrong with a release, as a field and a clause; undefined when it may enter the log. */
export const problemOfRelease = (
  release: Release,
): { readonly field: string; readonly problem: string } | undefined => {
  if (!NAME.test(release.id)) return { field: 'target_id', problem: notAName(release.id) }
  if (release.hosts.length === 0) {
    return { field: 'hosts', problem: 'is empty; expected at least one host name' }
  }
  if (release.hosts.length > HOSTS_MAX) {
    return {
      field: 'hosts',
      problem: `has ${release.hosts.length} names; at most ${HOSTS_MAX} fit`,
    }
  }
  for (const [index, host] of release.hosts.entries()) {
    const parsed = parseHostPattern(host)
    if ('problem' in parsed) return { field: `hosts[${index}]`, problem: parsed.problem }
    if (parsed.pattern !== host) {
      return { field: `hosts[${index}]`, problem: `"${host}" is not in normal form` }
    }
  }
  if (release.targets.length === 0) {
    return { field: 'targets', problem: 'is empty; expected at least one target' }
  }
  if (release.targets.length > TARGETS_MAX) {
    return {
      field: 'targets',
      problem: `has ${release.targets.length}; at most ${TARGETS_MAX} fit`,
    }
  }
  for (const [index, target] of release.targets.entries()) {
    const parsed = parseTarget(target.url)
    if ('problem' in parsed) return { field: `targets[${index}]`, problem: parsed.problem }
  }
  const http1 = release.targets.findIndex(({ url }) => !speaksHttp2(url))
  if (release.health.grpc !== undefined && http1 >= 0) {
    return {
      field: `targets[${http1}]`,
      problem: `"${release.targets[http1]?.url}" speaks no gRPC, which health.grpc asks for; expected h2c or h2`,
    }
  }
  if (!release.health.path.startsWith('/')) {
    return { field: 'health_path', problem: `"${release.health.path}" does not start with /` }
  }
  const ingress =
    release.ingress === undefined ? undefined : problemOfIngress(release.ingress, release.hosts)
  return ingress ?? problemOfTimes(release) ?? problemOfMetadata(release.metadata)
}

const speaksHttp2 = (url: string): boolean => {
  const parsed = parseTarget(url)
  return 'address' in parsed && parsed.address.http2 === true
}

const problemOfTimes = ({
  timeouts = [],
}: Release): { readonly field: string; readonly problem: string } | undefined => {
  const found = problemOfPathTimeouts(timeouts)
  if (found === undefined) return undefined
  const { index, problem } = found
  return { field: index === undefined ? 'timeouts' : `timeouts[${index}]`, problem }
}

/** Whether two releases say the same, whatever the order that their fields were written in. */
export const sameRelease = (one: Release, other: Release): boolean =>
  JSON.stringify(one, inKeyOrder) === JSON.stringify(other, inKeyOrder)

const inKeyOrder = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value

export const notAName = (text: string): string =>
  `"${text}" is not a name; expected letters, digits, ".", "_" and "-", at most 63, a letter or digit first`

const problemOfMetadata = (
  metadata: Release['metadata'],
): { readonly field: string; readonly problem: string } | undefined => {
  const entries = Object.entries(metadata)
  if (entries.length > METADATA_MAX) {
    return {
      field: 'metadata',
      problem: `has ${entries.length} entries; at most ${METADATA_MAX} fit`,
    }
  }
  const long = entries.find(([key, value]) => key.length + value.length > METADATA_CHARACTERS_MAX)
  return long === undefined
    ? undefined
    : {
        field: `metadata.${long[0]}`,
        problem: `is longer than ${METADATA_CHARACTERS_MAX} characters`,
      }
}
