/** A listening socket: the kernel accepts connections for it until it is closed. */
import { closeSync, openSync } from 'node:fs'
import { withoutMapping } from '../net.ts'
import type { Listener, Transport } from '../transport.ts'
import type { Engine } from './engine.ts'
import { allocate, type NativeMemory } from './native-memory.ts'
import {
  ACCEPT,
  ACCEPT_ALL,
  ALL_OF_DESCRIPTOR,
  CANCEL,
  CLOSE,
  MORE,
  THEN,
  type Operation,
} from './operations.ts'
import type { Member } from './ring.ts'
import { UringTransport } from './socket.ts'
import { ECANCELED, EMFILE, ENFILE } from './system-calls.ts'

export class UringListener implements Listener, Member {
  readonly host: string
  readonly port: number
  readonly #engine: Engine
  readonly #accept: (transport: Transport) => void
  readonly #peer: NativeMemory
  readonly #peerLength: NativeMemory
  readonly #descriptor: number
  readonly #place: number
  #reserve = openSync('/dev/null', 'r')
  #operations = 0
  #closed = false

  constructor(
    engine: Engine,
    descriptor: number,
    { host, port }: Pick<Listener, 'host' | 'port'>,
    accept: (transport: Transport) => void,
  ) {
    this.#engine = engine
    this.#descriptor = descriptor
    this.host = host
    this.port = port
    this.#accept = accept
    const { calls, ring } = engine
    this.#peer = allocate(calls, SOCKET_ADDRESS_BYTES)
    this.#peerLength = allocate(calls, 4)
    // Every socket that it accepts inherits that.
    this.#peerLength.bytes.writeInt32LE(1)
    calls.setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, this.#peerLength.address, 4)
    this.#place = ring.enter(this)
    this.#acceptAll()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#ask(CANCEL, THEN, ALL_OF_DESCRIPTOR)
    this.#ask(CLOSE, 0, 0)
    closeSync(this.#reserve)
    // Who connects from now on is refused.
    this.#engine.ring.flush()
  }

  onCompletion(operation: Operation, result: number, flags: number): void {
    const more = (flags & MORE) !== 0
    if (!more) this.#operations -= 1
    if (operation === ACCEPT) {
      // Who was accepted in the moment of closing is served like the others.
      if (result >= 0) this.#welcome(result)
      if (!more && !this.#closed) this.#goOnAfter(-result)
    }
    if (this.#closed && this.#operations === 0) this.#engine.ring.leave(this.#place)
  }

  #goOnAfter(errno: number): void {
    if (errno === ECANCELED) return
    if (errno !== EMFILE && errno !== ENFILE) {
      this.#acceptAll()
      return
    }
    this.#turnAway()
    setTimeout(() => {
      if (!this.#closed) this.#acceptAll()
    }, WITHOUT_DESCRIPTORS_MS)
  }

  /** As libuv does: whoever waits is told at once, by way of a descriptor that is kept for that. */
  #turnAway(): void {
    const { calls } = this.#engine
    closeSync(this.#reserve)
    for (let turned = 0; turned < TURNED_AWAY_MAX; turned += 1) {
      const descriptor = calls.accept4(this.#descriptor, 0n, 0n, CLOSE_ON_EXEC)
      if (descriptor < 0) break
      calls.close(descriptor)
    }
    this.#reserve = openSync('/dev/null', 'r')
  }

  #welcome(descriptor: number): void {
    const transport = new UringTransport(this.#engine, this.#peerAddress(descriptor))
    transport.adopt(descriptor)
    this.#accept(transport)
  }

  #acceptAll(): void {
    this.#ask(ACCEPT, ACCEPT_ALL, CLOSE_ON_EXEC)
  }

  #ask(operation: Operation, options: number, flags: number): void {
    this.#operations += 1
    this.#engine.ring.ask(this.#place, operation, options, this.#descriptor, 0, 0, flags)
  }

  #peerAddress(descriptor: number): string {
    const { calls } = this.#engine
    const { bytes, address } = this.#peer
    this.#peerLength.bytes.writeInt32LE(SOCKET_ADDRESS_BYTES)
    if (calls.getpeername(descriptor, address, this.#peerLength.address) !== 0) return ''
    const family = bytes.readUInt16LE(0)
    if (family === AF_INET) return dotted(bytes, IPV4_AT)
    if (family !== AF_INET6) return ''
    const text = this.#peerLength
    calls.inet_ntop(family, address + IPV6_AT, text.address, IPV6_TEXT_BYTES)
    return withoutMapping(text.bytes.toString('latin1', 0, text.bytes.indexOf(0)))
  }
}

const dotted = (bytes: Buffer, at: number): string =>
  `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`

const WITHOUT_DESCRIPTORS_MS = 100
const TURNED_AWAY_MAX = 1_000

const CLOSE_ON_EXEC = 0o2_000_000
const IPPROTO_TCP = 6
const TCP_NODELAY = 1

/** `sockaddr_storage`: family, port, then the address. */
const SOCKET_ADDRESS_BYTES = 128
const AF_INET = 2
const AF_INET6 = 10
const IPV4_AT = 4
const IPV6_AT = 8n
const IPV6_TEXT_BYTES = 46
