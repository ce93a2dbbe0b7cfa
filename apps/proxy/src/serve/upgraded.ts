/** A connection after its upgrade (RFC 9110 §7.8), whatever protocol it has become. */
import type { UpgradedWork } from '../upstream/work-list.ts'
import type { ClientWay } from './client-way.ts'

/** What a client's connection says to it. */
export interface Upgraded extends UpgradedWork {
  onClientData(buffer: Buffer, from: number, to: number): void
  onClientDrain(): void
  onClientEnd(): void
  onClientClose(): void
  onDeadline(): void
}

/** The client's connection, as it sees it. */
export interface TunnelClient {
  readonly socket: ClientWay
  /** Both sides have ended. What is queued goes out. */
  onTunnelEnded(): void
  /** It was cut before that. */
  onTruncated(): void
}
