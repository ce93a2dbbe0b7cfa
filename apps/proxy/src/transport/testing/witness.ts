/** Sockets for the tests of transports: one end is ours, the other a socket of Node's. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { connect as connectTls, createSecureContext } from 'node:tls'
import { applicationProtocols, type TlsTerms } from '../tls-terms.ts'
import { cert, key } from './self-signed.ts'
import type { Sockets, Transport, TransportOwner } from '../transport.ts'

const opened: (() => void)[] = []

/** Has the test clean up by `closeAll`. */
export const onCloseAll = (close: () => void): void => void opened.push(close)

export const closeAll = (): void => {
  for (const close of opened.splice(0)) close()
}

/** Remembers what its transport says, in order. */
export class Witness implements TransportOwner {
  readonly events: string[] = []
  readonly digest = createHash('sha1')
  bytes = 0
  error: Error | undefined
  readonly closed: Promise<void>
  readonly connected: Promise<void>
  transport: Transport | undefined
  onBytes: (buffer: Buffer, length: number) => void = () => {}
  inCall = false
  #close: () => void
  #connect: () => void

  constructor() {
    const closing = Promise.withResolvers<void>()
    this.closed = closing.promise
    this.#close = closing.resolve
    const connecting = Promise.withResolvers<void>()
    this.connected = connecting.promise
    this.#connect = connecting.resolve
  }

  /** Calls the transport, and will not be told of a close within that. */
  call<Value>(action: () => Value): Value {
    this.inCall = true
    const value = action()
    this.inCall = false
    return value
  }

  onConnect(): void {
    this.events.push('connect')
    this.#connect()
  }

  onData(buffer: Buffer, length: number): void {
    this.bytes += length
    this.digest.update(buffer.subarray(0, length))
    this.onBytes(buffer, length)
  }

  onDrain(): void {
    this.events.push('drain')
  }

  onEnd(): void {
    this.events.push('end')
  }

  onClose(error?: Error): void {
    this.events.push(this.inCall ? 'close within a call' : 'close')
    this.error = error
    this.#close()
  }
}

/** A way to sockets, in the clear or with TLS. */
export interface Kind {
  readonly name: string
  readonly sockets: Sockets
  readonly secure: boolean
}

/** An accepted transport, and a socket of Node's at its other end. */
export interface Accepted {
  readonly transport: Transport
  readonly witness: Witness
  readonly peer: Socket
  /** The TCP socket of the peer: itself, or what is below its TLS. */
  readonly wire: Socket
}

export const accepted = async ({ sockets, secure }: Kind): Promise<Accepted> => {
  const { promise, resolve } = Promise.withResolvers<Transport>()
  const witness = new Witness()
  const listener = await sockets.listen(
    {
      host: '127.0.0.1',
      port: 0,
      backlog: 8,
      reusePort: false,
      ...(secure ? { tls: TLS_TERMS } : {}),
    },
    (transport) => {
      transport.owner = witness
      witness.transport = transport
      resolve(transport)
    },
  )
  const wire = connect({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true })
  const peer = secure
    ? connectTls({ socket: wire, rejectUnauthorized: false, servername: 'localhost' })
    : wire
  for (const each of [wire, peer]) each.on('error', () => {})
  const [transport] = await Promise.all([
    promise,
    once(peer, secure ? 'secureConnect' : 'connect'),
    secure ? witness.connected : undefined,
  ])
  witness.events.length = 0
  // A handshake ends within OpenSSL, where no test should go on and close things.
  await nextTurn()
  onCloseAll(() => {
    listener.close()
    transport.destroy()
    peer.destroy()
    wire.destroy()
  })
  return { transport, witness, peer, wire }
}

/** Terms on which everybody is served with one certificate. */
export const TLS_TERMS: TlsTerms = {
  choose: () => ({
    kind: 'serve',
    context: createSecureContext({ key, cert }),
    applicationProtocols: applicationProtocols(['http/1.1']),
    clientCertificate: 'ignored',
    identity: { covers: () => true, clientAuthority: undefined },
  }),
  handshakeMs: 10_000,
  onHandshake: () => {},
}

export const text = async (peer: Socket): Promise<string> => {
  let read = ''
  for await (const chunk of peer.setEncoding('latin1')) read += String(chunk)
  return read
}

export const noise = (bytes: number): Buffer => {
  const buffer = Buffer.allocUnsafe(bytes)
  for (let at = 0, state = 1; at < bytes; at += 1) {
    state = Math.imul(state, 1_103_515_245) + 12_345
    buffer[at] = state >>> 16
  }
  return buffer
}

export const sha1 = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex')
