/** What all client connections of a proxy share. */
import type { Failure } from '../http/failure.ts'
import type { HeadReaders } from '../http/head-readers.ts'
import type { Wheel } from '../wheel.ts'
import type { Counters } from './counters.ts'
import type { GateContext } from './gate.ts'
import type { ServeLimits } from './limits.ts'

export interface ServeContext extends GateContext {
  readonly wheel: Wheel
  readonly limits: ServeLimits
  readonly counters: Counters
  /** Clients may speak HTTP/2. */
  readonly http2: boolean
  /** Chosen once, at the start. */
  readonly readers: HeadReaders
  /** Unix time in milliseconds. */
  readonly now: () => number
  readonly nextRequestId: () => string
  /** Why a request of a service did not get its target's answer. For logs, not for decisions. */
  readonly onFailure: (report: FailureReport) => void
  /** The proxy is about to end: connections are not kept. */
  stopping: boolean
}

export interface FailureReport {
  readonly failure: Failure
  readonly requestId: string
  readonly service: string
  readonly release: string
  readonly target: string
  readonly error: Error | undefined
}
