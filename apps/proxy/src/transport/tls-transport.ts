/**
 * One accepted socket with TLS, on libuv's handle and Node's TLS stream over it. The hazards of this
 * layer, beside those of handle-transport.ts:
 *
 * - The stream takes one write at a time, and a second one ends the process. Whatever is written
 *   meanwhile is collected here, and goes out as the next one.
 * - What it is given is encrypted before the call returns, so bytes need not last; but no write is over
 *   within its call.
 * - It hands over all that it has decrypted, whether or not it is to read: what comes while the owner
 *   wants nothing is kept, and that is one read of the socket at most.
 */
import {
  END_OF_FILE,
  type HandleInternals,
  type StreamHandle,
  type WriteRequest,
} from './handle-internals.ts'
import { delivery, READ_BYTES_MAX, SHARED } from './read-buffers.ts'
import { systemError } from './system-error.ts'
import { TlsHandshake, type HandshakeOwner } from './tls-handshake.ts'
import type { TlsHandle, WrapServer } from './tls-internals.ts'
import type { TlsSession, TlsTerms } from './tls-terms.ts'
import { NOBODY, type Transport, type TransportOwner } from './transport.ts'
import { WriteQueue } from './write-queue.ts'

/** Little is fastest as one text, although it is copied. */
const TEXT_BYTES_MAX = 4_096

/** How much may wait behind the write that is under way before its writer is told to stop. */
const QUEUED_BYTES_MAX = 65_536

/** One read of another socket, with what goes around it: a write of more is worth a wait. */
const WRITTEN_BYTES_MAX = READ_BYTES_MAX + TEXT_BYTES_MAX

export class TlsTransport implements Transport, HandshakeOwner {
  owner: TransportOwner = NOBODY
  readonly remoteAddress: string
  tls: TlsSession | undefined
  readonly #internals: HandleInternals
  /** The TCP socket's. */
  readonly #below: StreamHandle
  #handle: TlsHandle | undefined
  #handshake: TlsHandshake | undefined
  #reading = true
  /** What came while it was not to read; undefined for nothing. */
  #unread: (Buffer | 'end')[] | undefined
  #writable = true
  #inEnded = false
  #outEnded = false
  #closed = false
  #error: Error | undefined
  /** A write is under way. */
  #busy = false
  /** A write has returned false, and nobody has heard `onDrain` since. */
  #congested = false
  readonly #queue = new WriteQueue()

  constructor(internals: HandleInternals, below: StreamHandle, remoteAddress: string) {
    this.#internals = internals
    this.#below = below
    this.remoteAddress = remoteAddress
  }

  /** The owner has been told of the connection: now the handshake may begin. */
  start(wrap: WrapServer, terms: TlsTerms): void {
    if (this.#closed) return
    this.#handshake = new TlsHandshake(this.#internals, wrap, terms, this.#below, this)
  }

  get queued(): boolean {
    return this.#busy || !this.#queue.empty
  }

  write(text: string): boolean {
    const handle = this.#handle
    if (!this.#writable || handle === undefined) return false
    if (this.#busy) return this.#later(text)
    return this.#written(handle.writeLatin1String(this.#request(), text), text.length)
  }

  forward(buffer: Buffer, from: number, to: number): boolean {
    return this.send('', buffer, from, to, '')
  }

  send(head: string, buffer: Buffer, from: number, to: number, tail: string): boolean {
    const handle = this.#handle
    if (!this.#writable || handle === undefined) return false
    const length = head.length + to - from + tail.length
    if (length <= TEXT_BYTES_MAX)
      return this.write(head + buffer.toString('latin1', from, to) + tail)
    const bytes = from === 0 && to === buffer.length ? buffer : buffer.subarray(from, to)
    if (this.#busy) {
      this.#queue.add(head)
      this.#queue.add(Buffer.from(bytes))
      return this.#later(tail)
    }
    const pieces = [head, 'latin1', bytes, 'buffer', tail, 'latin1']
    const result =
      length === bytes.length
        ? handle.writeBuffer(this.#request(), bytes)
        : handle.writev(this.#request(), pieces, false)
    return this.#written(result, length)
  }

  pause(): void {
    if (!this.#reading) return
    this.#reading = false
    this.#handle?.readStop()
  }

  resume(): void {
    if (this.#reading || this.#closed) return
    this.#reading = true
    if (this.#unread === undefined) this.#handle?.readStart()
    else setImmediate(() => this.#deliverUnread())
  }

  end(): void {
    if (!this.#writable) return
    this.#writable = false
    if (!this.queued) this.#shutDown()
  }

  destroy(): void {
    if (this.#leave()) this.#close()
  }

  reset(): void {
    // libuv does not reset what is shutting down.
    const resettable = this.#writable
    if (!this.#leave()) return
    if (!resettable || this.#below.reset?.(onClosed) !== 0) this.#close()
    else this.#below.holder = this
  }

  onSecure(handle: TlsHandle, session: TlsSession): void {
    this.#handle = handle
    this.tls = session
    handle.holder = this
    handle.onread = onRead
    // oxlint-disable-next-line prefer-add-event-listener -- no event target: OpenSSL calls it
    handle.onerror = onError
    this.owner.onConnect()
  }

  onHandshakeFailed(error?: Error): void {
    this.#error ??= error
    this.destroy()
  }

  fail(error: Error): void {
    this.#error ??= error
    this.destroy()
  }

  /** What was decrypted of one read. */
  onRead(): void {
    const { state, readBytesOrError } = this.#internals
    const length = state[readBytesOrError] ?? 0
    if (length === 0 || this.#closed) return
    if (length < 0 && length !== END_OF_FILE) this.fail(systemError(length, 'read'))
    else if (!this.#reading || this.#unread !== undefined) this.#keep(length)
    else if (length === END_OF_FILE) this.#end()
    else {
      delivery.bytes = SHARED.bytes
      this.owner.onData(SHARED.bytes, length)
      delivery.bytes = undefined
    }
  }

  /** The write that was under way is over. */
  onWritten(status: number): void {
    this.#busy = false
    if (this.#closed) return
    if (status < 0) {
      this.fail(systemError(status, 'write'))
      return
    }
    const next = this.#queue.take()
    if (next !== undefined) this.#writeNow(next)
    else if (!this.#writable) this.#shutDown()
    if (this.#congested && !this.queued && !this.#closed) {
      this.#congested = false
      this.owner.onDrain()
    }
  }

  onClosed(): void {
    this.#handshake?.closed()
    this.owner.onClose(this.#error)
  }

  #keep(length: number): void {
    this.#unread ??= []
    this.#unread.push(length < 0 ? 'end' : Buffer.from(SHARED.bytes.subarray(0, length)))
  }

  #deliverUnread(): void {
    while (this.#reading && !this.#closed) {
      const next = this.#unread?.shift()
      if (next === undefined) {
        this.#unread = undefined
        this.#handle?.readStart()
        return
      }
      if (next === 'end') this.#end()
      else this.owner.onData(next, next.length)
    }
  }

  #end(): void {
    this.#inEnded = true
    this.owner.onEnd()
    if (this.#outEnded) this.destroy()
  }

  #writeNow(next: string | Buffer): void {
    const handle = this.#handle
    if (handle === undefined) return
    const request = this.#request()
    const result =
      typeof next === 'string'
        ? handle.writeLatin1String(request, next)
        : handle.writeBuffer(request, next)
    this.#written(result, next.length)
  }

  #request(): WriteRequest {
    this.#busy = true
    const request = new this.#internals.WriteWrap()
    request.holder = this
    request.oncomplete = onWritten
    return request
  }

  #written(result: number, length: number): boolean {
    if (result !== 0) {
      this.#busy = false
      this.fail(systemError(result, 'write'))
      return false
    }
    if (length > WRITTEN_BYTES_MAX) this.#congested = true
    return !this.#congested
  }

  #later(text: string): boolean {
    this.#queue.add(text)
    if (this.#queue.bytes > QUEUED_BYTES_MAX) this.#congested = true
    return !this.#congested
  }

  #shutDown(): void {
    const request = new this.#internals.ShutdownWrap()
    request.oncomplete = () => {
      this.#outEnded = true
      if (this.#inEnded) this.destroy()
    }
    if (this.#handle?.shutdown(request) !== 0) this.destroy()
  }

  /** False when it is closed, or closing, already. */
  #leave(): boolean {
    if (this.#closed) return false
    this.#closed = true
    this.#writable = false
    this.#reading = false
    this.#unread = undefined
    this.#queue.clear()
    return true
  }

  #close(): void {
    this.#below.holder = this
    this.#below.close(onClosed)
  }
}

// Node calls these with the handle or the request as `this`; one of each serves all sockets.

const isOurs = (holder: unknown): holder is TlsTransport => holder instanceof TlsTransport

function onRead(this: StreamHandle): undefined {
  if (isOurs(this.holder)) this.holder.onRead()
}

function onError(this: TlsHandle, error: Error): void {
  if (isOurs(this.holder)) this.holder.fail(error)
}

function onWritten(this: WriteRequest, status: number): void {
  if (isOurs(this.holder)) this.holder.onWritten(status)
}

function onClosed(this: StreamHandle): void {
  if (isOurs(this.holder)) this.holder.onClosed()
}
