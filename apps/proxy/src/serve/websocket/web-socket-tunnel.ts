/**
 * A WebSocket: the bytes of both directions pass as they come, as in any tunnel, and where frames end is
 * followed beside them, so that we can end it as the protocol wants it rather than cut it.
 *
 * We end it from the client's side: a Close is put in between two frames of the target's, and what the
 * target still sends is dropped. The client's own frames go on to the target, the last of them its
 * answer to the Close, so nothing is lost that it had sent before it knew.
 */
import type { ReleaseRuntime } from '../../upstream/release-runtime.ts'
import type { UpstreamConnection, UpstreamUser } from '../../upstream/upstream-connection.ts'
import { NOWHERE } from '../../upstream/work-list.ts'
import type { ServeContext } from '../context.ts'
import type { UpgradedEnd } from '../counters.ts'
import type { TunnelClient, Upgraded } from '../upgraded.ts'
import { closeToClient, closeToTarget, type CloseReason } from './close-frame.ts'
import { FrameFollower } from './frame-follower.ts'

export class WebSocketTunnel implements UpstreamUser, Upgraded {
  place = NOWHERE
  readonly #context: ServeContext
  readonly #client: TunnelClient
  readonly #release: ReleaseRuntime
  readonly #upstream: UpstreamConnection
  readonly #fromClient: FrameFollower
  readonly #fromTarget = new FrameFollower(Infinity)
  /** Why we end it; undefined as long as we do not. */
  #reason: CloseReason | undefined
  /** The client has our Close. */
  #told = false
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
    const { webSocketMessageBytesMax = Infinity } = release.release.limits
    this.#fromClient = new FrameFollower(webSocketMessageBytesMax)
  }

  /** The switch has been written to the client, the claim is ours; `early` came with the switch. */
  begin(early: Buffer): void {
    const { socket } = this.#client
    this.#upstream.user = this
    if (socket.congested) this.#upstream.pause()
    this.#armIdle()
    if (early.length > 0) this.onUpstreamData(early, early.length)
    const kept = socket.takeKept()
    if (kept.length > 0) this.onClientData(kept, 0, kept.length)
    if (socket.halfClosed) this.onClientEnd()
  }

  onClientData(buffer: Buffer, from: number, to: number): void {
    if (this.#over) return
    const end = this.#fromClient.follow(buffer, from, to)
    if (end > from) {
      const flows = this.#upstream.transport.forward(buffer, from, end)
      if (this.#over) return
      if (!flows) this.#client.socket.blockReading(true)
    }
    if (this.#fromClient.tooLarge) this.#endAtOnce('too-large')
    else if (this.#told && this.#fromClient.closed) this.#afterAnswer()
    else this.#armIdle()
  }

  onClientDrain(): void {
    if (!this.#over) this.#upstream.resume()
  }

  /** FIN. Without a Close before it, the target is to know that there was none. */
  onClientEnd(): void {
    if (this.#over) return
    if (this.#told) {
      this.#finish()
      return
    }
    this.#clientEnded = true
    this.#upstream.transport.end()
    this.#settle()
  }

  onClientClose(): void {
    if (this.#over) return
    this.#leave(this.#told || this.#fromClient.closed ? 'closed' : 'client-left')
    this.#upstream.abort()
  }

  /** It was silent for too long, or did not answer our Close. */
  onDeadline(): void {
    if (this.#over) return
    if (this.#told || (this.#fromClient.closed && this.#fromTarget.closed)) this.#finish()
    else if (this.#mayTell && !this.#clientEnded) this.#close('idle')
    else this.#truncate()
  }

  get mayRetire(): boolean {
    return this.#reason === undefined && !this.#fromClient.closed && !this.#fromTarget.closed
  }

  retire(): void {
    if (this.mayRetire) this.#close('restart')
  }

  /** There is no time for answers any more. */
  cut(): void {
    if (!this.#over) this.#endAtOnce('restart')
  }

  onUpstreamData(buffer: Buffer, length: number): void {
    if (this.#over) return
    if (this.#told) {
      this.#fromTarget.follow(buffer, 0, length)
      if (this.#fromClient.closed) this.#afterAnswer()
      return
    }
    const waits = this.#reason !== undefined
    const end = waits
      ? this.#fromTarget.followFrame(buffer, 0, length)
      : this.#fromTarget.follow(buffer, 0, length)
    const flows = this.#client.socket.forward(buffer, 0, end)
    if (this.#over) return
    if (!flows) this.#upstream.pause()
    this.#armIdle()
    if (!waits) return
    if (this.#mayTell) this.#tell()
    if (end < length) this.#fromTarget.follow(buffer, end, length)
  }

  onUpstreamDrain(): void {
    this.#client.socket.blockReading(false)
  }

  /** FIN. A target that has said nothing before it has failed. */
  onUpstreamEnd(): void {
    if (this.#over) return
    this.#targetEnded = true
    if (this.#told) this.#finish()
    else if (this.#fromTarget.closed || this.#fromClient.closed || this.#clientEnded) {
      this.#client.socket.end()
      this.#settle()
    } else this.#onTargetLeft()
  }

  onUpstreamClose(): void {
    if (this.#over) return
    if (this.#told || this.#fromTarget.closed) this.#finish()
    else this.#onTargetLeft()
  }

  /** A Close can be put in: no frame is under way, and the target has not said its own. */
  get #mayTell(): boolean {
    return this.#fromTarget.atBoundary && !this.#fromTarget.closed
  }

  #close(reason: CloseReason): void {
    this.#reason = reason
    if (this.#mayTell) this.#tell()
  }

  #tell(): void {
    this.#told = true
    this.#client.socket.write(closeToClient(this.#reason ?? 'restart'))
    if (this.#over) return
    // Whatever the target says now is read, so that its end is seen, and dropped.
    this.#upstream.resume()
    this.#client.socket.arm(this.#context.limits.webSocketCloseMs)
  }

  /** RFC 6455 §7.1.1: the server ends first. We are the client's server, and the target's client. */
  #afterAnswer(): void {
    this.#client.socket.end()
    if (this.#fromTarget.closed) this.#finish()
  }

  #onTargetLeft(): void {
    if (this.#mayTell && !this.#fromClient.closed) this.#endAtOnce('target-left')
    else this.#truncate()
  }

  /** Tells both sides, as far as they are between two frames, and waits for no answer. */
  #endAtOnce(reason: CloseReason): void {
    this.#reason ??= reason
    if (!this.#told && this.#mayTell) this.#tell()
    if (this.#over) return
    if (this.#told) this.#finish()
    else this.#truncate()
  }

  /** It is over: what is queued goes out on both sides, and a target that heard no Close hears ours. */
  #finish(): void {
    const reason = this.#reason
    const mayTellTarget = this.#fromClient.atBoundary && !this.#fromClient.closed
    this.#leave(reason ?? 'closed')
    const upstream = this.#upstream
    if (reason !== undefined && mayTellTarget && !this.#clientEnded && !this.#targetEnded) {
      upstream.transport.write(closeToTarget(reason))
    }
    if (!upstream.closed) upstream.retire(this.#context.limits.lingerMs)
    this.#client.onTunnelEnded()
  }

  #truncate(): void {
    this.#leave('cut')
    this.#upstream.abort()
    this.#client.onTruncated()
  }

  #settle(): void {
    if (this.#over) return
    if (this.#clientEnded && this.#targetEnded) this.#finish()
    else this.#armIdle()
  }

  /** The deadline of a Close that we sent is not put off by anything. */
  #armIdle(): void {
    if (this.#told) return
    const ending =
      this.#clientEnded || this.#targetEnded || (this.#fromClient.closed && this.#fromTarget.closed)
    const { upgradedIdleMs } = this.#release.release.limits
    this.#client.socket.arm(ending ? this.#context.limits.halfClosedMs : upgradedIdleMs)
  }

  #leave(end: UpgradedEnd): void {
    this.#over = true
    this.#context.counters.upgradedEnds[end] += 1
    this.#client.socket.disarm()
    this.#client.socket.blockReading(false)
    this.#release.leave(this)
  }
}
