/**
 * The transport on the public API of `node:net` and `node:tls`: always available, and the reference
 * for every other one.
 */
import { connect as connectTcp, createServer, isIP, type Server, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TargetAddress } from '@gatehouse/domain'
import { isLent } from './read-buffers.ts'
import { serveTls, type Securable } from './net-tls.ts'
import type { TlsSession } from './tls-terms.ts'
import {
  NOBODY,
  type Listener,
  type ListenOptions,
  type Sockets,
  type TargetTrust,
  type Transport,
  type TransportOwner,
} from './transport.ts'

/** How much may wait in a socket's queue before its writer is told to stop. */
const QUEUED_BYTES_MAX = 65_536

const SOCKET_OPTIONS = { noDelay: true, allowHalfOpen: true, highWaterMark: QUEUED_BYTES_MAX }

export const netSockets: Sockets = {
  name: 'net',
  listen: (options, accept) => {
    const { tls } = options
    const server = createServer(SOCKET_OPTIONS, (socket) => {
      const transport = new NetTransport(socket, true)
      accept(transport)
      if (tls === undefined) transport.start()
      else if (!socket.destroyed) serveTls(socket, tls, transport)
    })
    return startListening(server, options)
  },
  connect: (address, owner, trust = {}) => {
    const socket = openSocket(address, trust)
    const transport = new NetTransport(socket, address.kind === 'tcp' && !address.tls)
    transport.owner = owner
    transport.start()
    const event = address.kind === 'tcp' && address.tls ? 'secureConnect' : 'connect'
    socket.once(event, () => transport.owner.onConnect())
    return transport
  },
}

/** Rejects with a sentence when it cannot listen there. */
export const startListening = (
  server: Server,
  { host, port, fd, backlog, reusePort }: ListenOptions,
): Promise<Listener> =>
  new Promise((resolve, reject) => {
    const place = fd === undefined ? `${host}:${port}` : `descriptor ${fd}`
    const fail = (error: Error): void =>
      reject(new Error(`cannot listen on ${place}: ${error.message}`, { cause: error }))
    server.once('error', fail)
    server.listen(fd === undefined ? { host, port, backlog, reusePort } : { fd, backlog }, () => {
      server.off('error', fail)
      // What goes wrong later is one connection's accept, for example for want of descriptors.
      server.on('error', () => {})
      const address = server.address()
      const bound = typeof address === 'object' && address !== null ? address : undefined
      resolve({
        host: fd === undefined ? host : (bound?.address ?? host),
        port: bound?.port ?? port,
        close: () => server.close(),
      })
    })
  })

/** Starts to connect, with all that Node knows about names and address families. */
export const openSocket = (address: TargetAddress, trust: TargetTrust): Socket => {
  if (address.kind === 'unix') {
    return connectTcp({ path: address.socketPath, ...SOCKET_OPTIONS })
  }
  const { hostname: host, port } = address
  if (!address.tls) return connectTcp({ host, port, ...SOCKET_OPTIONS })
  const { serverName = host, verify = true } = trust.tls ?? {}
  return connectTls({
    host,
    port,
    // RFC 6066 §3: a server name is never an IP address.
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    rejectUnauthorized: verify,
    ...(trust.ca === undefined ? {} : { ca: trust.ca }),
    ALPNProtocols: [address.http2 ? 'h2' : 'http/1.1'],
    ...SOCKET_OPTIONS,
  })
}

/** RFC 4291 §2.5.5.2: how an IPv4 peer looks on a socket that listens on both. */
export const withoutMapping = (address: string): string =>
  address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address

class NetTransport implements Transport, Securable {
  owner: TransportOwner = NOBODY
  readonly remoteAddress: string
  tls: TlsSession | undefined
  /** What a connection that began in the clear goes on as. */
  #socket: Socket
  /** The TCP socket below, while it is one that Node can reset. */
  readonly #resettable: Socket | undefined
  #writable = true
  #error: Error | undefined

  constructor(socket: Socket, resettable: boolean) {
    this.#socket = socket
    this.#resettable = resettable ? socket : undefined
    this.remoteAddress = withoutMapping(socket.remoteAddress ?? '')
    socket.on('error', (error) => this.fail(error))
    socket.on('close', () => {
      this.#writable = false
      this.owner.onClose(this.#error)
    })
  }

  /** From now on the owner hears what comes. */
  start(): void {
    const socket = this.#socket
    socket.on('data', (buffer: Buffer) => this.owner.onData(buffer, buffer.length))
    socket.on('drain', () => this.owner.onDrain())
    socket.on('end', () => this.owner.onEnd())
  }

  /** The handshake on the socket is done: it goes on as this one, which ends when that does. */
  secured(socket: Socket, session: TlsSession): void {
    this.#socket = socket
    this.tls = session
    this.owner.onConnect()
    this.start()
  }

  fail(error: Error): void {
    this.#writable = false
    this.#error ??= error
  }

  get queued(): boolean {
    return this.#socket.writableLength > 0
  }

  write(text: string): boolean {
    // A stream answers a late write with an error event; the close that is under way says it all.
    if (!this.#writable) return false
    this.#socket.write(text, 'latin1')
    return this.#socket.writableLength < QUEUED_BYTES_MAX
  }

  forward(buffer: Buffer, from: number, to: number): boolean {
    if (!this.#writable) return false
    this.#socket.write(lastingBytes(buffer, from, to))
    return this.#socket.writableLength < QUEUED_BYTES_MAX
  }

  send(head: string, buffer: Buffer, from: number, to: number, tail: string): boolean {
    if (!this.#writable) return false
    this.#socket.cork()
    this.#socket.write(head, 'latin1')
    this.forward(buffer, from, to)
    if (tail !== '') this.#socket.write(tail, 'latin1')
    this.#socket.uncork()
    return this.#socket.writableLength < QUEUED_BYTES_MAX
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    if (!this.#writable) return
    this.#writable = false
    this.#socket.end()
  }

  destroy(): void {
    this.#writable = false
    this.#socket.destroy()
  }

  reset(): void {
    // Node resets plain TCP only, and neither while it connects nor while it shuts down.
    const tcp = this.#resettable
    const resets = this.#writable && tcp?.connecting === false && !this.#socket.destroyed
    this.#writable = false
    if (resets) tcp.resetAndDestroy()
    else this.#socket.destroy()
  }
}

/** What Node reads for us stays as it is until it is written; what another transport lends does not. */
const lastingBytes = (buffer: Buffer, from: number, to: number): Buffer => {
  const bytes = from === 0 && to === buffer.length ? buffer : buffer.subarray(from, to)
  return isLent(buffer) ? Buffer.from(bytes) : bytes
}
