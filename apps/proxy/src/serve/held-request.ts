/**
 * A request whose service is paused. It is kept as it came, to be read anew when the service goes on,
 * and answered when that takes too long.
 */
import type { ClientSocket } from './client-socket.ts'
import type { Held, PauseQueue } from './pause-queue.ts'
import type { Stage } from './stage.ts'

export interface HeldClient {
  readonly socket: ClientSocket
  /** It left the queue, because the service is not paused any more. */
  onReadmitted(): void
  /** It left the queue, because its time is over. */
  onHeldTooLong(): void
}

export class HeldRequest implements Stage, Held {
  readonly #client: HeldClient
  readonly #queue: PauseQueue

  constructor(client: HeldClient, queue: PauseQueue) {
    this.#client = client
    this.#queue = queue
  }

  get busy(): boolean {
    return true
  }

  readmit(): void {
    this.#client.onReadmitted()
  }

  onClientData(buffer: Buffer, length: number): void {
    this.#client.socket.keep(buffer, 0, length)
  }

  onClientDrain(): void {}

  onClientEnd(): void {}

  onClientClose(): void {
    this.#queue.leave(this)
  }

  onDeadline(): void {
    this.#queue.leave(this)
    this.#client.onHeldTooLong()
  }

  cut(): void {
    this.onDeadline()
  }
}
