/**
 * The end of a client's connection. Everything of the last answer goes out before FIN does, and what
 * the client still sends is read and dropped for a while: to close under a client that sends makes
 * its kernel throw our answer away (RFC 9112 §9.6).
 */
import type { ClientSocket } from './client-socket.ts'
import type { ServeLimits } from './limits.ts'

export class LingeringClose {
  readonly #socket: ClientSocket
  readonly #limits: ServeLimits
  #lingerings = 0

  constructor(socket: ClientSocket, limits: ServeLimits) {
    this.#socket = socket
    this.#limits = limits
  }

  /** Nothing more is written, and nothing that comes is understood. */
  begin(): void {
    this.#socket.takeKept()
    this.#socket.blockReading(false)
    if (this.#socket.congested) this.#socket.arm(this.#limits.stalledClientMs)
    else this.#endAndLinger()
  }

  onDrain(): void {
    this.#endAndLinger()
  }

  onDeadline(): void {
    this.#lingerings -= 1
    if (!this.#socket.queued || this.#lingerings <= 0) this.#socket.destroy()
    else this.#socket.arm(this.#limits.lingerMs)
  }

  #endAndLinger(): void {
    const { lingerMs, stalledClientMs } = this.#limits
    this.#socket.end()
    this.#lingerings = Math.ceil(stalledClientMs / lingerMs)
    this.#socket.arm(lingerMs)
  }
}
