/** The bounds of serving that belong to the proxy itself rather than to a release. */
import type { ConnectionBounds } from './connection-limits.ts'
import type { PaceLimits } from './pace.ts'

export interface ServeLimits extends ConnectionBounds, PaceLimits {
  /** From an accepted connection to the end of its TLS handshake. */
  readonly handshakeMs: number
  /** From the first byte of a request head to its last: 408. */
  readonly headMs: number
  /** How long a client's connection may wait for its next request. */
  readonly clientIdleMs: number
  /** The same once the proxy is to stop; the answer to a last request says that it is the last. */
  readonly retiringIdleMs: number
  /** How long a connection to a target is kept for the next request. */
  readonly targetIdleMs: number
  /** A target of HTTP/2 that owes answers and says nothing for so long is asked whether it is there. */
  readonly targetSilentMs: number
  /** How long a client that takes nothing of its answer is waited for. */
  readonly stalledClientMs: number
  /** How long we read on after a last answer, so that the client can read it too. */
  readonly lingerMs: number
  /** How long one direction of an upgraded connection may live on after the other has ended. */
  readonly halfClosedMs: number
  /** How long the answer to a Close that we send into a WebSocket is waited for. */
  readonly webSocketCloseMs: number
  /** Requests of one service that wait while it is paused: 503 beyond. */
  readonly pausedRequestsMax: number
}

export const CLIENT_CONNECTIONS_MAX = 20_000
export const REQUEST_BYTES_PER_SECOND_MIN = 500

export const SERVE_LIMITS: ServeLimits = {
  handshakeMs: 10_000,
  headMs: 10_000,
  clientIdleMs: 75_000,
  // Nearly every client that is busy at all asks again within this.
  retiringIdleMs: 2_000,
  // Below the 5 s after which a Node server closes an idle connection.
  targetIdleMs: 4_000,
  targetSilentMs: 10_000,
  // With 64 KiB in flight this asks a reader for about 500 bytes per second.
  stalledClientMs: 120_000,
  requestPaceGraceMs: 10_000,
  requestBytesPerSecondMin: REQUEST_BYTES_PER_SECOND_MIN,
  lingerMs: 2_000,
  halfClosedMs: 10_000,
  webSocketCloseMs: 5_000,
  clientConnectionsMax: CLIENT_CONNECTIONS_MAX,
  // Nobody has more than half, and who comes from one address is seldom so many.
  clientConnectionsPerAddressMax: CLIENT_CONNECTIONS_MAX / 2,
  pausedRequestsMax: 1_000,
}

/** Connections that wait in the kernel to be accepted. */
export const BACKLOG = 4_096

/** Bytes of a client that wait unread for us: a body before its target is ready, pipelined requests. */
export const WAITING_BYTES_MAX = 65_536

/** Requests of one client that are answered in one turn: then it is everybody else's. */
export const REQUESTS_AT_ONCE_MAX = 64

/** Interim responses (RFC 9110 §15.2) before a final one. */
export const INTERIM_RESPONSES_MAX = 32
