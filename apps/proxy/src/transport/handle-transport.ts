/**
 * One socket on its libuv handle. The hazards of this layer:
 *
 * - libuv keeps a pointer into what it has not written yet, so nothing may be read over it. Text is
 *   copied by Node; bytes are held by their ReadBuffer or by their request.
 * - Node keeps a bare pointer to the buffer that it reads into: the transport must hold that, until
 *   the handle has closed.
 * - A handle may be closed from within any of its own callbacks.
 */
import {
  END_OF_FILE,
  type HandleInternals,
  type StreamHandle,
  type WriteRequest,
} from './handle-internals.ts'
import { delivery, isLent, letGo, READ_BYTES_MAX, SHARED, takeBuffer } from './read-buffers.ts'
import { systemError } from './system-error.ts'
import { NOBODY, type Transport, type TransportOwner } from './transport.ts'

/** Little is fastest as one text, although it is copied; much is written from where it was read. */
const TEXT_BYTES_MAX = 4_096

/** A read of more asks for a buffer of its own, and so many smaller ones in a row give it back. */
const SMALL_READ_BYTES = TEXT_BYTES_MAX
const SMALL_READS = 8

export class HandleTransport implements Transport {
  owner: TransportOwner = NOBODY
  readonly remoteAddress: string
  readonly #internals: HandleInternals
  #handle: StreamHandle
  #buffer = SHARED
  #smallReads = 0
  /** Whether it is to read, once it has what to read from. */
  #reading = true
  #writable = true
  /** The peer has ended, and so have we. */
  #inEnded = false
  #outEnded = false
  #closed = false
  #error: Error | undefined
  /** Writes that the kernel has not taken whole. */
  #pending = 0
  /** A request that was not needed, because its write was over at once. */
  #spare: WriteRequest | undefined

  constructor(internals: HandleInternals, handle: StreamHandle, remoteAddress: string) {
    this.#internals = internals
    this.#handle = handle
    this.remoteAddress = remoteAddress
    handle.holder = this
  }

  /** The handle that stood for one that is connected now gives way to it. */
  adopt(handle: StreamHandle): void {
    this.#handle = handle
    handle.holder = this
  }

  /** The owner has been told of the connection: now it may hear what comes. */
  start(): void {
    if (this.#closed) return
    this.#handle.onread = onRead
    this.#handle.useUserBuffer(this.#buffer.bytes)
    if (this.#reading) this.#handle.readStart()
  }

  get queued(): boolean {
    return this.#pending > 0
  }

  write(text: string): boolean {
    if (!this.#writable) return false
    const request = this.#request()
    return this.#written(this.#handle.writeLatin1String(request, text), request)
  }

  forward(buffer: Buffer, from: number, to: number): boolean {
    return this.send('', buffer, from, to, '')
  }

  send(head: string, buffer: Buffer, from: number, to: number, tail: string): boolean {
    if (!this.#writable) return false
    if (head.length + to - from + tail.length <= TEXT_BYTES_MAX) {
      return this.write(head + buffer.toString('latin1', from, to) + tail)
    }
    const request = this.#request()
    const bytes = lastingBytes(request, buffer, from, to)
    const handle = this.#handle
    const result =
      head === '' && tail === ''
        ? handle.writeBuffer(request, bytes)
        : handle.writev(request, piecesOf(head, bytes, tail), false)
    return this.#written(result, request)
  }

  pause(): void {
    if (!this.#reading) return
    this.#reading = false
    this.#handle.readStop()
  }

  resume(): void {
    if (this.#reading || this.#closed) return
    this.#reading = true
    this.#handle.readStart()
  }

  end(): void {
    if (!this.#writable) return
    this.#writable = false
    const request = new this.#internals.ShutdownWrap()
    request.oncomplete = () => {
      this.#outEnded = true
      if (this.#inEnded) this.destroy()
    }
    if (this.#handle.shutdown(request) !== 0) this.destroy()
  }

  destroy(): void {
    if (this.#leave()) this.#handle.close(onClosed)
  }

  reset(): void {
    // libuv does not reset what is shutting down.
    const resettable = this.#writable
    if (!this.#leave()) return
    const handle = this.#handle
    if (!resettable || handle.reset?.(onClosed) !== 0) handle.close(onClosed)
  }

  fail(error: Error): void {
    this.#error ??= error
    this.destroy()
  }

  /** One read, by libuv. Returns what is to be read into from now on, when that changes. */
  onRead(): Buffer | undefined {
    const { state, readBytesOrError } = this.#internals
    const length = state[readBytesOrError] ?? 0
    if (length === 0 || this.#closed) return undefined
    if (length === END_OF_FILE) this.#end()
    else if (length < 0) this.fail(systemError(length, 'read'))
    else {
      const buffer = this.#buffer
      delivery.bytes = buffer.bytes
      delivery.holder = buffer
      this.owner.onData(buffer.bytes, length)
      delivery.bytes = undefined
      delivery.holder = undefined
      if (!this.#closed) return this.#chooseBuffer(length)
    }
    return undefined
  }

  /** A write that was not over at once is. */
  onWritten(status: number): void {
    this.#pending -= 1
    if (this.#closed) return
    if (status < 0) this.fail(systemError(status, 'write'))
    else if (this.#pending === 0) this.owner.onDrain()
  }

  onClosed(): void {
    letGo(this.#buffer)
    this.owner.onClose(this.#error)
  }

  #end(): void {
    this.#inEnded = true
    this.owner.onEnd()
    if (this.#outEnded) this.destroy()
  }

  #request(): WriteRequest {
    const spare = this.#spare
    if (spare !== undefined) {
      this.#spare = undefined
      return spare
    }
    const request = new this.#internals.WriteWrap()
    request.holder = this
    request.oncomplete = onWritten
    return request
  }

  #written(result: number, request: WriteRequest): boolean {
    const { state, lastWriteWasAsync } = this.#internals
    if (result === 0 && state[lastWriteWasAsync] !== 0) {
      this.#pending += 1
      return false
    }
    if (request.keptBytes !== undefined) forgetBytes(request)
    this.#spare = request
    if (result !== 0) this.fail(systemError(result, 'write'))
    return result === 0 && this.#pending === 0
  }

  #chooseBuffer(length: number): Buffer | undefined {
    const buffer = this.#buffer
    if (length > SMALL_READ_BYTES) this.#smallReads = 0
    else if (buffer === SHARED) return undefined
    else this.#smallReads += 1
    const wantsOwn = this.#smallReads < SMALL_READS
    // A write that still goes on has this one.
    const isFree = buffer !== SHARED && buffer.holders === 1
    if (wantsOwn && isFree) return undefined
    letGo(buffer)
    this.#buffer = wantsOwn ? (takeBuffer() ?? SHARED) : SHARED
    return this.#buffer.bytes
  }

  /** False when it is closed, or closing, already. */
  #leave(): boolean {
    if (this.#closed) return false
    this.#closed = true
    this.#writable = false
    this.#reading = false
    return true
  }
}

// Node calls these with the handle or the request as `this`; one of each serves all sockets.

const isOurs = (holder: unknown): holder is HandleTransport => holder instanceof HandleTransport

function onRead(this: StreamHandle): Buffer | undefined {
  return isOurs(this.holder) ? this.holder.onRead() : undefined
}

function onWritten(this: WriteRequest, status: number): void {
  forgetBytes(this)
  if (isOurs(this.holder)) this.holder.onWritten(status)
}

function onClosed(this: StreamHandle): void {
  if (isOurs(this.holder)) this.holder.onClosed()
}

/** These bytes, which stay as they are for as long as the request has them. */
const lastingBytes = (request: WriteRequest, buffer: Buffer, from: number, to: number): Buffer => {
  request.keptBytes = from === 0 && to === buffer.length ? buffer : buffer.subarray(from, to)
  if (!isLent(buffer)) return request.keptBytes
  const lender = delivery.holder
  if (lender === undefined || lender === SHARED) {
    request.kept = to - from <= READ_BYTES_MAX ? takeBuffer() : undefined
    if (request.kept === undefined) request.keptBytes = Buffer.from(request.keptBytes)
    else {
      buffer.copy(request.kept.bytes, 0, from, to)
      request.keptBytes = request.kept.bytes.subarray(0, to - from)
    }
  } else {
    request.kept = lender
    lender.holders += 1
  }
  return request.keptBytes
}

/** As `writev` wants them: each with its encoding. */
const piecesOf = (head: string, bytes: Buffer, tail: string): (string | Buffer)[] =>
  tail === ''
    ? [head, 'latin1', bytes, 'buffer']
    : [head, 'latin1', bytes, 'buffer', tail, 'latin1']

const forgetBytes = (request: WriteRequest): void => {
  if (request.kept !== undefined) letGo(request.kept)
  request.kept = undefined
  request.keptBytes = undefined
}
