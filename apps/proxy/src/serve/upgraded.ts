/** A connection after its upgrade (RFC 9110 §7.8), whatever protocol it has become. */
import type { UpgradedWork } from '../upstream/work-list.ts'
import type { ClientSocket } from './client-socket.ts'
import type { Stage } from './stage.ts'

export interface Upgraded extends UpgradedWork, Stage {}

/** The client's connection, as it sees it. */
export interface TunnelClient {
  readonly socket: ClientSocket
  /** Both sides have ended. What is queued goes out. */
  onTunnelEnded(): void
  /** It was cut before that. */
  onTruncated(): void
}
