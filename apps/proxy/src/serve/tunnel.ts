/**
 * An upgraded connection of a protocol that we do not know: bytes both ways, with back-pressure, until
 * both sides have ended or one of them is gone. A FIN is passed on, because protocols may end their
 * two directions one after the other; but what is only half open does not stay so for long.
 */
import type { ReleaseRuntime } from '../upstream/release-runtime.ts'
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.ts'
import { NOWHERE } from '../upstream/work-list.ts'
import type { ServeContext } from './context.ts'
import type { UpgradedEnd } from './counters.ts'
import type { TunnelClient, Upgraded } from './upgraded.ts'

export class Tunnel implements UpstreamUser, Upgraded {
  place = NOWHERE
  /** Only WebSockets have a way to be ended by somebody in between. */
  readonly mayRetire = false
  readonly #context: ServeContext
  readonly #client: TunnelClient
  readonly #release: ReleaseRuntime
  readonly #upstream: UpstreamConnection
  #clientEnded = false
  #targetEnded = false
  #over = false

  constructor(
    context: ServeContext,
    client: TunnelClient,
    release: ReleaseRuntime,
    upstream: UpstreamConnection,
  ) {
    this.#context = context
    this.#client = client
    this.#release = release
    this.#upstream = upstream
  }

  /** The switch has been written to the client, the claim is ours; `early` came with the switch. */
  begin(early: Buffer): void {
    const { socket } = this.#client
    this.#upstream.user = this
    this.#armIdle()
    if (socket.congested) this.#upstream.pause()
    if (early.length > 0) this.onUpstreamData(early, early.length)
    const kept = socket.takeKept()
    if (kept.length > 0) this.onClientData(kept, 0, kept.length)
    if (socket.halfClosed) this.onClientEnd()
  }

  onClientData(buffer: Buffer, from: number, to: number): void {
    if (this.#over) return
    this.#armIdle()
    const flows = this.#upstream.transport.forward(buffer, from, to)
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
    this.#leave('client-left')
    this.#upstream.abort()
  }

  /** It was silent for too long. */
  onDeadline(): void {
    this.#truncate('idle')
  }

  retire(): void {}

  cut(): void {
    this.#truncate('cut')
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
    this.#truncate('target-left')
  }

  #truncate(end: UpgradedEnd): void {
    if (this.#over) return
    this.#leave(end)
    this.#upstream.abort()
    this.#client.onTruncated()
  }

  #settle(): void {
    if (this.#over) return
    if (this.#clientEnded && this.#targetEnded) {
      this.#leave('closed')
      this.#upstream.retire(this.#context.limits.halfClosedMs)
      this.#client.onTunnelEnded()
    } else this.#armIdle()
  }

  #armIdle(): void {
    const half = this.#clientEnded || this.#targetEnded
    const { upgradedIdleMs } = this.#release.release.limits
    this.#client.socket.arm(half ? this.#context.limits.halfClosedMs : upgradedIdleMs)
  }

  #leave(end: UpgradedEnd): void {
    this.#over = true
    this.#context.counters.upgradedEnds[end] += 1
    this.#client.socket.disarm()
    this.#client.socket.blockReading(false)
    this.#release.leave(this)
  }
}
