/**
 * An upgraded connection of a protocol that we do not know: bytes both ways, until both sides have ended
 * or one of them is gone. A FIN is passed on, because protocols may end their two directions one after
 * the other; but what is only half open does not stay so for long.
 */
import { Tunnel } from './tunnel.ts'

export class OpaqueTunnel extends Tunnel {
  /** Only WebSockets have a way to be ended by somebody in between. */
  get mayRetire(): boolean {
    return false
  }

  retire(): void {}

  cut(): void {
    this.truncate('cut')
  }

  onClientData(buffer: Buffer, length: number): void {
    if (this.over) return
    this.armIdle()
    const flows = this.upstream.transport.forward(buffer, 0, length)
    if (!flows && !this.over) this.client.socket.blockReading(true)
  }

  onClientEnd(): void {
    if (this.over) return
    this.clientEnded = true
    this.upstream.transport.end()
    this.settle()
  }

  onClientClose(): void {
    if (this.over) return
    this.leave('client-left')
    this.upstream.abort()
  }

  /** It was silent for too long. */
  onDeadline(): void {
    this.truncate('idle')
  }

  onUpstreamData(buffer: Buffer, length: number): void {
    this.armIdle()
    const flows = this.client.socket.forward(buffer, 0, length)
    if (!flows && !this.over) this.upstream.pause()
  }

  onUpstreamEnd(): void {
    this.targetEnded = true
    this.client.socket.end()
    this.settle()
  }

  onUpstreamClose(): void {
    this.truncate('target-left')
  }

  protected finish(): void {
    this.leave('closed')
    this.upstream.retire(this.context.limits.halfClosedMs)
    this.client.onTunnelEnded()
  }
}
