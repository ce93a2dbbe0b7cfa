/**
 * All that a connection sends: its window, its table of fields, and the streams that wait for room, which
 * have their turns one after the other.
 */
import type { ClientSocket } from '../serve/client-socket.ts'
import type { Wheel } from '../wheel.ts'
import { HpackEncoder } from './hpack/encoder.ts'
import { Outbox } from './outbox.ts'
import { WINDOW_BYTES_DEFAULT, WINDOW_BYTES_MAX } from './protocol.ts'
import type { StreamHome, StreamWay } from './stream-way.ts'

/** What one stream sends before it is another's turn. */
const TURN_BYTES = 65_536

export class Sending implements StreamHome {
  readonly wheel: Wheel
  readonly outbox: Outbox
  readonly encoder = new HpackEncoder()
  sendWindow = WINDOW_BYTES_DEFAULT
  readonly #socket: ClientSocket
  readonly #waiting = new Set<StreamWay>()

  constructor(socket: ClientSocket, wheel: Wheel) {
    this.#socket = socket
    this.wheel = wheel
    this.outbox = new Outbox(socket)
  }

  get congested(): boolean {
    return this.#socket.congested
  }

  awaitRoom(way: StreamWay): void {
    this.#waiting.add(way)
  }

  forget(way: StreamWay): void {
    this.#waiting.delete(way)
  }

  /** The client takes more on all streams together. False: more than there is. */
  addRoom(bytes: number): boolean {
    this.sendWindow += bytes
    if (this.sendWindow > WINDOW_BYTES_MAX) return false
    this.pump()
    return true
  }

  /** Lets those that wait send, until there is no room for any of them, or nothing left. */
  pump(): void {
    let goesOn = this.#waiting.size > 0
    while (goesOn) {
      goesOn = false
      for (const way of this.#waiting) {
        if (this.congested) return
        const hasMore = way.pump(TURN_BYTES)
        goesOn ||= hasMore
        if (!way.congested) this.#waiting.delete(way)
      }
    }
  }
}
