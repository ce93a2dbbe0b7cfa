/**
 * An upgraded connection (RFC 9110 §7.8): bytes both ways, with back-pressure, until both sides have
 * ended or one of them is gone. A FIN is passed on, because protocols may end their two directions
 * one after the other; but what is only half open does not stay so for long.
 */
import type { ReleaseRuntime } from '../upstream/release-runtime.ts'
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.ts'
import { NOWHERE, type Work } from '../upstream/work-list.ts'
import type { ClientSocket } from './client-socket.ts'

/** The client's connection, as a tunnel sees it. */
export interface TunnelClient {
  readonly socket: ClientSocket
  /** Both sides have ended. What is queued goes out. */
  onTunnelEnded(): void
  /** It was cut before that. */
  onTruncated(): void
}

export class Tunnel implements UpstreamUser, Work {
  place = NOWHERE
  readonly #client: TunnelClient
  readonly #release: ReleaseRuntime
  readonly #upstream: UpstreamConnection
  /** How long one direction may live on after the other has ended. */
  readonly #halfClosedMs: number
  #clientEnded = false
  #targetEnded = false
  #over = false

  constructor(
    client: TunnelClient,
    release: ReleaseRuntime,
    upstream: UpstreamConnection,
    halfClosedMs: number,
  ) {
    this.#client = client
    this.#release = release
    this.#upstream = upstream
    this.#halfClosedMs = halfClosedMs
  }

  /** The switch has been written to the client, and the claim is ours. */
  begin(): void {
    const { socket } = this.#client
    this.#upstream.user = this
    this.#armIdle()
    if (socket.congested) this.#upstream.pause()
    const kept = socket.takeKept()
    if (kept.length > 0) this.onClientData(kept, kept.length)
    if (socket.halfClosed) this.onClientEnd()
  }

  onClientData(buffer: Buffer, length: number): void {
    if (this.#over) return
    this.#armIdle()
    const flows = this.#upstream.transport.forward(buffer, 0, length)
    if (!flows && !this.#over) this.#client.socket.blockReading(true)
  }

  onClientDrain(): void {
    if (!this.#over) this.#upstream.resume()
  }

  onClientEnd(): void {
    if (this.#over) return
    this.#clientEnded = true
    this.#upstream.transport.end()
    this.#settle()
  }

  onClientClose(): void {
    if (this.#over) return
    this.#leave()
    this.#upstream.abort()
  }

  /** It was silent for too long. */
  onDeadline(): void {
    this.cut()
  }

  cut(): void {
    if (this.#over) return
    this.#leave()
    this.#upstream.abort()
    this.#client.onTruncated()
  }

  onUpstreamData(buffer: Buffer, length: number): void {
    this.#armIdle()
    const flows = this.#client.socket.forward(buffer, 0, length)
    if (!flows && !this.#over) this.#upstream.pause()
  }

  onUpstreamDrain(): void {
    this.#client.socket.blockReading(false)
  }

  onUpstreamEnd(): void {
    this.#targetEnded = true
    this.#client.socket.end()
    this.#settle()
  }

  onUpstreamClose(): void {
    this.cut()
  }

  #settle(): void {
    if (this.#over) return
    if (this.#clientEnded && this.#targetEnded) {
      this.#leave()
      this.#upstream.retire(this.#halfClosedMs)
      this.#client.onTunnelEnded()
    } else this.#armIdle()
  }

  #armIdle(): void {
    const half = this.#clientEnded || this.#targetEnded
    const { upgradedIdleMs } = this.#release.release.limits
    this.#client.socket.arm(half ? this.#halfClosedMs : upgradedIdleMs)
  }

  #leave(): void {
    this.#over = true
    this.#client.socket.disarm()
    this.#client.socket.blockReading(false)
    this.#release.leave(this)
  }
}
