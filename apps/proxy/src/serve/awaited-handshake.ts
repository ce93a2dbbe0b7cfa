/** A client whose TLS handshake is not done: it is counted like any other, and has nothing to lose. */
import type { TlsSession } from '../transport/tls-terms.ts'
import type { Transport, TransportOwner } from '../transport/transport.ts'

export interface HandshakeHome {
  onSecure(handshake: AwaitedHandshake, session: TlsSession): void
  /** It was closed before that. */
  onGone(handshake: AwaitedHandshake): void
}

export class AwaitedHandshake implements TransportOwner {
  readonly transport: Transport
  readonly #home: HandshakeHome

  constructor(home: HandshakeHome, transport: Transport) {
    this.#home = home
    this.transport = transport
    transport.owner = this
  }

  /** The transport bounds how long it can take. */
  retire(): void {}

  /** False: no request is lost. */
  cut(): boolean {
    this.destroy()
    return false
  }

  destroy(): void {
    this.transport.destroy()
  }

  onConnect(): void {
    const { tls } = this.transport
    if (tls !== undefined) this.#home.onSecure(this, tls)
  }

  onData(): void {}

  onDrain(): void {}

  onEnd(): void {}

  onClose(): void {
    this.#home.onGone(this)
  }
}
