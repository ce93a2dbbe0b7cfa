/**
 * What a connection has to send, gathered until the loop has done its turn: many answers, acknowledgements
 * and updates of windows leave in one write. Much data leaves at once, from where it was read.
 */
import type { ClientSocket } from '../serve/client-socket.ts'
import { frameHeader } from './frames.ts'
import { DATA, END_STREAM, FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from './protocol.ts'

/** Less is fastest as text, although it is copied. */
const TEXT_BYTES_MAX = 4_096
/** So much does not wait for the turn to end. */
const GATHERED_BYTES_MAX = 65_536

export class Outbox {
  readonly #socket: ClientSocket
  #text = ''
  #dataWritten = 0
  #awaitsTurn = false

  constructor(socket: ClientSocket) {
    this.#socket = socket
  }

  /** Octets that wait for the end of the turn. */
  get gathered(): number {
    return this.#text.length
  }

  /** How often content was written since this was last asked. */
  takeDataWritten(): number {
    const written = this.#dataWritten
    this.#dataWritten = 0
    return written
  }

  write(frames: string): void {
    this.#text += frames
    if (this.#text.length > GATHERED_BYTES_MAX) this.flush()
    else if (!this.#awaitsTurn) {
      this.#awaitsTurn = true
      awaitEndOfTurn(this)
    }
  }

  /** Content in as many DATA frames as it needs; `last` ends the stream. */
  writeData(id: number, buffer: Buffer, from: number, to: number, last: boolean): void {
    const length = to - from
    this.#dataWritten += 1
    if (length <= TEXT_BYTES_MAX) {
      const header = frameHeader(length, DATA, last ? END_STREAM : 0, id)
      this.write(header + buffer.toString('latin1', from, to))
    } else if (length <= FRAME_BYTES_MAX) {
      const header = frameHeader(length, DATA, last ? END_STREAM : 0, id)
      this.#socket.send(this.#take() + header, buffer, from, to, '')
    } else this.#writeFrames(id, buffer, from, to, last)
  }

  /** Everything goes out now. */
  flush(): void {
    this.#awaitsTurn = false
    if (this.#text !== '') this.#socket.write(this.#take())
  }

  /** One piece of memory for all of them: a system call for each costs more than a copy. */
  #writeFrames(id: number, buffer: Buffer, from: number, to: number, last: boolean): void {
    const text = this.#take()
    const frames = Math.ceil((to - from) / FRAME_BYTES_MAX)
    const room = text.length + frames * FRAME_HEADER_BYTES + to - from
    const gathered = Buffer.allocUnsafeSlow(room)
    let length = gathered.write(text, 0, 'latin1')
    for (let at = from; at < to; at += FRAME_BYTES_MAX) {
      const end = Math.min(to, at + FRAME_BYTES_MAX)
      const flags = last && end === to ? END_STREAM : 0
      length += gathered.write(frameHeader(end - at, DATA, flags, id), length, 'latin1')
      length += buffer.copy(gathered, length, at, end)
    }
    this.#socket.forward(gathered, 0, length)
  }

  #take(): string {
    const text = this.#text
    this.#text = ''
    return text
  }
}

/** The loop reads from all sockets before it comes to its immediates. */
const awaitEndOfTurn = (outbox: Outbox): void => {
  if (waiting.push(outbox) === 1) setImmediate(flushAll)
}

let waiting: Outbox[] = []

const flushAll = (): void => {
  const due = waiting
  waiting = []
  for (const outbox of due) outbox.flush()
}
