/**
 * A connection after its upgrade, as far as that is the same for all protocols: it passes bytes both ways
 * with back-pressure, hears of each side's end, is not left silent for too long, and gives back what it
 * holds once.
 */
import type { ReleaseRuntime } from '../upstream/release-runtime.ts'
import type { UpstreamConnection, UpstreamUser } from '../upstream/upstream-connection.ts'
import { NOWHERE } from '../upstream/work-list.ts'
import type { ServeContext } from './context.ts'
import type { UpgradedEnd } from './counters.ts'
import type { TunnelClient, Upgraded } from './upgraded.ts'

export abstract class Tunnel implements UpstreamUser, Upgraded {
  place = NOWHERE
  protected readonly context: ServeContext
  protected readonly client: TunnelClient
  protected readonly release: ReleaseRuntime
  protected readonly upstream: UpstreamConnection
  protected clientEnded = false
  protected targetEnded = false
  /** What it held is given back: whatever else is heard changes nothing. */
  protected over = false

  constructor(
    context: ServeContext,
    client: TunnelClient,
    release: ReleaseRuntime,
    upstream: UpstreamConnection,
  ) {
    this.context = context
    this.client = client
    this.release = release
    this.upstream = upstream
  }

  abstract readonly mayRetire: boolean
  abstract retire(): void
  abstract cut(): void
  abstract onClientData(buffer: Buffer, length: number): void
  abstract onClientEnd(): void
  abstract onClientClose(): void
  abstract onDeadline(): void
  abstract onUpstreamData(buffer: Buffer, length: number): void
  abstract onUpstreamEnd(): void
  abstract onUpstreamClose(error: Error | undefined): void
  /** Both sides have ended. */
  protected abstract finish(): void

  get busy(): boolean {
    return true
  }

  /** The switch has been written to the client, the claim is ours; `early` came with the switch. */
  begin(early: Buffer): void {
    const { socket } = this.client
    this.upstream.user = this
    if (socket.congested) this.upstream.pause()
    this.armIdle()
    if (early.length > 0) this.onUpstreamData(early, early.length)
    const kept = socket.takeKept()
    if (kept.length > 0) this.onClientData(kept, kept.length)
    if (socket.halfClosed) this.onClientEnd()
  }

  onClientDrain(): void {
    if (!this.over) this.upstream.resume()
  }

  onUpstreamDrain(): void {
    this.client.socket.blockReading(false)
  }

  /** Not much is to come any more, so what does not come soon is not waited for. */
  protected get ending(): boolean {
    return this.clientEnded || this.targetEnded
  }

  protected armIdle(): void {
    const { upgradedIdleMs } = this.release.release.limits
    this.client.socket.arm(this.ending ? this.context.limits.halfClosedMs : upgradedIdleMs)
  }

  /** One side has ended. */
  protected settle(): void {
    if (this.over) return
    if (this.clientEnded && this.targetEnded) this.finish()
    else this.armIdle()
  }

  protected truncate(end: UpgradedEnd): void {
    if (this.over) return
    this.leave(end)
    this.upstream.abort()
    this.client.onTruncated()
  }

  protected leave(end: UpgradedEnd): void {
    this.over = true
    this.context.counters.upgradedEnds[end] += 1
    this.client.socket.disarm()
    this.client.socket.blockReading(false)
    this.release.leave(this)
  }
}
