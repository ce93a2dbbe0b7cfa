/**
 * The handshake of one accepted socket, on libuv's handle: the client's first message is read in the
 * clear, somebody chooses what to answer with, and Node's TLS stream is laid over the handle.
 *
 * The end of a handshake is told from within OpenSSL, where nothing may be closed or written. So the
 * owner hears of it a moment later, or before the first bytes that follow, whichever is sooner.
 */
import { Greeting, type Greeted } from './greeting.ts'
import type { HandleInternals, StreamHandle } from './handle-internals.ts'
import { SHARED } from './read-buffers.ts'
import { verifiedCertificate, type TlsHandle, type WrapServer } from './tls-internals.ts'
import {
  failureOfTlsError,
  isSameName,
  type HandshakeFailure,
  type TlsSession,
  type TlsTerms,
} from './tls-terms.ts'

export interface HandshakeOwner {
  /** It is done. From now on the handle is the owner's. */
  onSecure(handle: TlsHandle, session: TlsSession): void
  /** The first read after it, by the handle that the owner has got. */
  onRead(): void
  /** The owner is to close the socket now. */
  onHandshakeFailed(error?: Error): void
}

type Served = Extract<Greeted, { kind: 'served' }>

export class TlsHandshake {
  readonly #internals: HandleInternals
  readonly #wrap: WrapServer
  readonly #terms: TlsTerms
  readonly #below: StreamHandle
  readonly #owner: HandshakeOwner
  #greeting: Greeting | undefined
  #served: Served | undefined
  #handle: TlsHandle | undefined
  readonly #deadline: NodeJS.Timeout
  #failure: HandshakeFailure | undefined
  #shaken = false
  #over = false

  constructor(
    internals: HandleInternals,
    wrap: WrapServer,
    terms: TlsTerms,
    below: StreamHandle,
    owner: HandshakeOwner,
  ) {
    this.#internals = internals
    this.#wrap = wrap
    this.#terms = terms
    this.#below = below
    this.#owner = owner
    this.#greeting = new Greeting(terms)
    this.#deadline = setTimeout(() => this.#fail('timeout'), terms.handshakeMs)
    below.holder = this
    below.onread = onGreeting
    below.useUserBuffer(SHARED.bytes)
    below.readStart()
  }

  /** The socket has been closed, by whomever. */
  closed(): void {
    clearTimeout(this.#deadline)
    this.#handle?.destroySSL()
    if (!this.#over) this.#terms.onHandshake(this.#failure ?? 'left')
    this.#over = true
  }

  /** One read of the plain socket. */
  onGreeting(): void {
    const { state, readBytesOrError } = this.#internals
    const length = state[readBytesOrError] ?? 0
    if (length === 0 || this.#over) return
    if (length < 0) {
      this.#fail('left')
      return
    }
    const greeted = this.#greeting?.read(SHARED.bytes, length)
    if (greeted === undefined || greeted === 'incomplete') return
    this.#greeting = undefined
    if (greeted.kind === 'served') this.#shake(greeted)
    else this.#refuse(greeted.reason, greeted.farewell)
  }

  onHandshakeDone(): void {
    if (this.#shaken) return
    this.#shaken = true
    setImmediate(() => this.#secure())
  }

  onError(error: Error): void {
    this.#fail(failureOfTlsError(error), error)
  }

  /** Something was decrypted, or the client has ended. */
  onRead(): void {
    if (!this.#shaken) this.#fail('left')
    else if (this.#secure()) this.#owner.onRead()
  }

  /** Says why, and waits for the client to go: to close at once could take the words back. */
  #refuse(reason: HandshakeFailure, farewell: string): void {
    this.#failure = reason
    const request = new this.#internals.WriteWrap()
    const shutdown = new this.#internals.ShutdownWrap()
    request.oncomplete = ignore
    shutdown.oncomplete = ignore
    const failed =
      this.#below.writeLatin1String(request, farewell) !== 0 || this.#below.shutdown(shutdown) !== 0
    if (failed) this.#fail(reason)
  }

  #shake(served: Served): void {
    const { choice, bytes } = served
    const handle = this.#wrap(this.#below, choice.context)
    this.#served = served
    this.#handle = handle
    handle.holder = this
    handle.onhandshakestart = ignore
    handle.onhandshakedone = onHandshakeDone
    // oxlint-disable-next-line prefer-add-event-listener -- no event target: OpenSSL calls it
    handle.onerror = onError
    handle.onread = onRead
    handle.useUserBuffer(SHARED.bytes)
    handle.setALPNProtocols(choice.applicationProtocols)
    if (choice.clientCertificate === 'required') handle.setVerifyMode(true, true)
    handle.receive(bytes)
  }

  /** True when the owner has the handle now. */
  #secure(): boolean {
    const handle = this.#handle
    if (this.#over || handle === undefined || this.#served === undefined) return false
    const { hello, choice } = this.#served
    const asked = choice.clientCertificate === 'required'
    const clientCertificate = asked ? verifiedCertificate(handle) : undefined
    if (!isSameName(handle.getServername(), hello.serverName)) this.#fail('protocol-error')
    else if (asked && clientCertificate === undefined) this.#fail('client-certificate')
    else {
      this.#over = true
      clearTimeout(this.#deadline)
      this.#terms.onHandshake(handle.isSessionReused() ? 'resumed' : 'full')
      this.#owner.onSecure(handle, {
        serverName: hello.serverName,
        applicationProtocol: handle.getALPNNegotiatedProtocol() || undefined,
        identity: choice.identity,
        clientCertificate,
      })
      return true
    }
    return false
  }

  #fail(reason: HandshakeFailure, error?: Error): void {
    if (this.#over) return
    this.#failure ??= reason
    this.#owner.onHandshakeFailed(error)
  }
}

// Node calls these with the handle as `this`; one of each serves all sockets.

const isOurs = (holder: unknown): holder is TlsHandshake => holder instanceof TlsHandshake

function onGreeting(this: StreamHandle): undefined {
  if (isOurs(this.holder)) this.holder.onGreeting()
}

function onHandshakeDone(this: TlsHandle): void {
  if (isOurs(this.holder)) this.holder.onHandshakeDone()
}

function onError(this: TlsHandle, error: Error): void {
  if (isOurs(this.holder)) this.holder.onError(error)
}

function onRead(this: StreamHandle): undefined {
  if (isOurs(this.holder)) this.holder.onRead()
}

const ignore = (): void => {}
