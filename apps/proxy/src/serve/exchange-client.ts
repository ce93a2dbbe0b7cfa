import type { Failure } from '../http/failure.ts'
import type { Peer } from '../http/forward-head.ts'
import type { RequestHead } from '../http/request.ts'
import type { ResponseRelay } from './response-relay.ts'
import type { TunnelClient, Upgraded } from './upgraded.ts'

/** The client's connection, as its exchange sees it. */
export interface ExchangeClient extends TunnelClient {
  readonly peer: Peer
  /** As read for this request, and left alone until the exchange has ended. */
  readonly head: RequestHead
  readonly requestId: string
  /** Writes answers in the protocol that the client speaks. */
  readonly response: ResponseRelay
  /** A body of unknown length comes without chunks: the client ends its stream. */
  readonly framesByStream: boolean
  /** The connection can go on after this request. */
  readonly mayContinue: boolean
  /** The last byte of the answer has been written. `whole`: the request has been read to its end. */
  onAnswered(keepAlive: boolean, whole: boolean): void
  /** There is no answer: give one of our own. `whole`: the request has been read to its end. */
  onFailed(failure: Failure, whole: boolean): void
  /** The connection has been upgraded: whatever comes from now on belongs to that. */
  onUpgraded(upgraded: Upgraded): void
}
