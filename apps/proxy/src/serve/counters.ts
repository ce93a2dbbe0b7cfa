/** What has happened on this proxy since it started, as plain numbers that anybody may read. */
import { FAILURES, type Failure } from '../http/failure.ts'
import type { UpstreamCounters } from '../upstream/target-pool.ts'
import { HANDSHAKE_FAILURES, type HandshakeOutcome } from '../transport/tls-terms.ts'
import type { ConnectionRefusal } from './connection-limits.ts'

/** `closed`: by its two ends, in whatever order. The others are named after who, or what, ended it. */
export type UpgradedEnd =
  'closed' | 'client-left' | 'target-left' | 'restart' | 'idle' | 'too-large' | 'cut'

export interface Counters {
  readonly clients: ClientCounters
  readonly upstreams: UpstreamCounters
  /** TLS handshakes with clients, by how they ended. */
  readonly handshakes: Record<HandshakeOutcome, number>
  /** Answers of our own, by their reason. */
  readonly failures: Record<Failure, number>
  /** Answers that were begun and could not be completed. */
  truncated: number
  /** Clients that left before their answer was complete. */
  abandoned: number
  /** WebSockets and other upgraded connections that are over, by how they ended. */
  readonly upgradedEnds: Record<UpgradedEnd, number>
  /** Requests that were sent again, or elsewhere, because nothing had reached a target. */
  retried: number
  readonly http2: Http2Counters
  /** Heads that we would have taken, and the second opinion would not. */
  readonly disagreements: Record<'request' | 'response', number>
}

export interface ClientCounters {
  open: number
  accepted: number
  /** Connections beyond a limit, reset at once, by which limit. */
  readonly refused: Record<ConnectionRefusal, number>
}

export interface Http2Counters {
  /** Connections of clients that speak HTTP/2. */
  connections: number
  /** Of those, closed because they cost too much and were worth nothing. */
  calmed: number
}

export const createCounters = (): Counters => ({
  clients: { open: 0, accepted: 0, refused: { total: 0, address: 0 } },
  upstreams: { open: 0, opened: 0 },
  handshakes: zeroPerOutcome(),
  failures: zeroPerFailure(),
  truncated: 0,
  abandoned: 0,
  upgradedEnds: {
    closed: 0,
    'client-left': 0,
    'target-left': 0,
    restart: 0,
    idle: 0,
    'too-large': 0,
    cut: 0,
  },
  retried: 0,
  http2: { connections: 0, calmed: 0 },
  disagreements: { request: 0, response: 0 },
})

const zeroPerFailure = (): Record<Failure, number> => {
  const names = Object.keys(FAILURES)
  // oxlint-disable-next-line no-unsafe-type-assertion -- the table has a row for every failure
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Failure, number>
}

const zeroPerOutcome = (): Record<HandshakeOutcome, number> => {
  const outcomes: readonly HandshakeOutcome[] = ['full', 'resumed', ...HANDSHAKE_FAILURES]
  // oxlint-disable-next-line no-unsafe-type-assertion -- the list has every outcome
  return Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<
    HandshakeOutcome,
    number
  >
}
