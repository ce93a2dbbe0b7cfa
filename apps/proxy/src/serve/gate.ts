/**
 * What becomes of a request, decided from its head alone and without waiting for anything. A service
 * works its verdict out when its route changes, so that a request only looks it up.
 */
import { matchHost, type HostTable, type Route } from '@gatehouse/domain'
import type { RequestHead } from '../http/request.ts'
import type { ReleaseRuntime } from '../upstream/release-runtime.ts'
import type { PauseQueue } from './pause-queue.ts'

export type Gate =
  /** Claim a target of the release, at once. */
  | { readonly kind: 'forward'; readonly release: () => ReleaseRuntime }
  | { readonly kind: 'hold'; readonly queue: PauseQueue; readonly holdMs: number }
  | { readonly kind: 'stopped'; readonly message: string }
  | { readonly kind: 'no-active-release' }
  | { readonly kind: 'unknown-host' }
  /** Nobody can say which service is meant: HTTP/1.0 without Host, and no default. */
  | { readonly kind: 'no-host' }
  /** The proxy itself answers a health check, so that an outer balancer keeps it. */
  | { readonly kind: 'healthy' }

/** What the gate knows of a service. */
export interface Gated {
  readonly gate: Gate
  /** The path of its active release's health check; undefined when it has no active release. */
  readonly healthPath: string | undefined
}

export const gateOf = (hosts: HostTable<Gated>, head: RequestHead): Gate => {
  const service = matchHost(hosts, head.host)
  if (service === undefined) return head.host === undefined ? NO_HOST : UNKNOWN_HOST
  const { gate } = service
  if ((gate.kind === 'hold' || gate.kind === 'stopped') && isHealthCheck(service, head)) {
    return HEALTHY
  }
  return gate
}

/** The verdict of a route for all requests but health checks. */
export const gateOfRoute = (
  { traffic }: Pick<Route, 'traffic'>,
  active: (() => ReleaseRuntime) | undefined,
  queue: () => PauseQueue,
): Gate => {
  switch (traffic.mode) {
    case 'stopped':
      return { kind: 'stopped', message: traffic.message }
    case 'paused':
      return { kind: 'hold', queue: queue(), holdMs: traffic.holdMs }
    case 'running':
      return active === undefined ? NO_ACTIVE_RELEASE : { kind: 'forward', release: active }
  }
}

export const UNKNOWN_HOST: Gate = { kind: 'unknown-host' }
const NO_ACTIVE_RELEASE: Gate = { kind: 'no-active-release' }
const NO_HOST: Gate = { kind: 'no-host' }
const HEALTHY: Gate = { kind: 'healthy' }

const isHealthCheck = (service: Gated, { method, target }: RequestHead): boolean =>
  (method === 'GET' || method === 'HEAD') &&
  service.healthPath !== undefined &&
  (target === service.healthPath || target.startsWith(`${service.healthPath}?`))
