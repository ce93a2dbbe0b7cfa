/**
 * What becomes of a request, decided from its head alone and without waiting for anything. A service
 * works its verdict out when its route changes, so that a request only looks it up.
 */
import { matchHost, type HostTable, type Ingress, type Route } from '@gatehouse/domain'
import type { OwnAnswer } from '../http/answer.ts'
import type { Peer } from '../http/forward-head.ts'
import type { RequestHead } from '../http/request.ts'
import type { ReleaseRuntime } from '../upstream/release-runtime.ts'
import type { Challenges } from './challenges.ts'
import { isMisdirected, redirectOf } from './ingress.ts'
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
  /** The request came by another way than its service wants, and its connection cannot be used for it. */
  | { readonly kind: 'misdirected' }
  /** The proxy has something to say itself: to an authority, or where to go. */
  | { readonly kind: 'own'; readonly answer: OwnAnswer }
  /** The proxy itself answers a health check, so that an outer balancer keeps it. */
  | { readonly kind: 'healthy' }

/** What the gate knows of a service. */
export interface Gated {
  readonly gate: Gate
  /** What it asks of the way that its clients come by; undefined for nothing. */
  readonly ingress: Ingress | undefined
  /** The path of its active release's health check; undefined when it has no active release. */
  readonly healthPath: string | undefined
}

/** What the gate knows of the proxy. */
export interface GateContext {
  readonly hosts: HostTable<Gated>
  readonly challenges: Challenges
  /** Where clients reach us over TLS, for those who came to a port by its number; undefined: nowhere. */
  securePort: number | undefined
}

export const gateOf = (context: GateContext, head: RequestHead, peer: Peer): Gate => {
  const challenge = context.challenges.answer(head)
  if (challenge !== undefined) return { kind: 'own', answer: challenge }
  const service = matchHost(context.hosts, head.host)
  if (service === undefined) return head.host === undefined ? NO_HOST : UNKNOWN_HOST
  const { gate, ingress } = service
  if (peer.identity !== undefined || ingress !== undefined) {
    const detour = detourOf(context, ingress, head, peer)
    if (detour !== undefined) return detour
  }
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
const MISDIRECTED: Gate = { kind: 'misdirected' }
const HEALTHY: Gate = { kind: 'healthy' }

/** For a request that may not go on as it came. */
const detourOf = (
  { securePort }: GateContext,
  ingress: Ingress | undefined,
  head: RequestHead,
  peer: Peer,
): Gate | undefined => {
  // Who comes in clear text is sent to TLS first, and is asked for a certificate there.
  const redirect = ingress === undefined ? undefined : redirectOf(ingress, head, peer, securePort)
  if (redirect !== undefined) return { kind: 'own', answer: redirect }
  return isMisdirected(ingress?.clientCa, head, peer) ? MISDIRECTED : undefined
}

const isHealthCheck = (service: Gated, { method, target }: RequestHead): boolean =>
  (method === 'GET' || method === 'HEAD') &&
  service.healthPath !== undefined &&
  (target === service.healthPath || target.startsWith(`${service.healthPath}?`))
