/**
 * One socket, as everything above it sees it: text and bytes out, events in. There is no stream, no
 * promise and no listener per request, so that the fastest way to move bytes can stand behind it.
 *
 * Two rules for owners:
 *
 * - The buffer of `onData` is lent: it is valid until `onData` returns. Whoever keeps bytes copies them.
 * - Any write may fail at once and tear down both sides of an exchange while it is on the stack. After
 *   each write an owner asks whether its peer is still its peer.
 */
import type { TargetAddress, TargetTls } from '@gatehouse/domain'
import type { TlsSession, TlsTerms } from './tls-terms.ts'

export interface Transport {
  /** Whom the events go to. It may be replaced, between events. */
  owner: TransportOwner
  /** Latin-1 text. False when the socket is congested: wait for `onDrain`. */
  write(text: string): boolean
  /** Bytes of a read that is being delivered now; copied if they cannot be written at once. */
  forward(buffer: Buffer, from: number, to: number): boolean
  /** As `write(head)`, `forward(buffer, from, to)` and `write(tail)`, but all in one piece. */
  send(head: string, buffer: Buffer, from: number, to: number, tail: string): boolean
  /** Stops and starts `onData` and `onEnd`. Both may be called twice. */
  pause(): void
  resume(): void
  /** Sends FIN after what is queued. Reading goes on; once the peer has ended too, it closes. */
  end(): void
  /** Closes both directions and drops what is queued. Calling it again does nothing. */
  destroy(): void
  /** As `destroy`, but the peer gets an error rather than an end: what it has is not complete. */
  reset(): void
  /** Some of what was written has not been taken by the kernel. */
  readonly queued: boolean
  /** The peer's IP address; empty for a Unix socket. */
  readonly remoteAddress: string
  /**
   * Only where several share one connection: it was made for this one, or had requests on it before,
   * or is not to have any after those that are on it.
   */
  readonly sharing?: 'fresh' | 'used' | 'ending'
  /** Of an accepted connection with TLS, from `onConnect` on; undefined of any other. */
  readonly tls?: TlsSession | undefined
}

export interface TransportOwner {
  /**
   * An outgoing socket is connected, for TLS also verified; or an accepted one has done its TLS
   * handshake. Before, only `destroy` and `reset` may be called.
   */
  onConnect(): void
  onData(buffer: Buffer, length: number): void
  /** After a write returned false: everything queued has been taken by the kernel. */
  onDrain(): void
  /** The peer sent FIN and will send no more. */
  onEnd(): void
  /**
   * The socket is gone, by whatever way, `destroy` included. Exactly once, and the last event; never
   * inside a call that the owner is making.
   */
  onClose(error?: Error): void
}

export interface ListenOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** A bound socket that was handed down to this process: host and port are its own then. */
  readonly fd?: number
  readonly backlog: number
  /** Several processes share the port, and the kernel spreads the connections. */
  readonly reusePort: boolean
  /** What is accepted speaks TLS; undefined: it does not. */
  readonly tls?: TlsTerms | undefined
}

export interface Listener {
  readonly host: string
  readonly port: number
  /**
   * Takes no new connections, and frees the port unless somebody else holds the socket. Those that are
   * open go on.
   */
  close(): void
}

/** One way to sockets: how to accept connections, and how to make them. */
export interface Sockets {
  readonly name: 'net' | 'handle' | 'uring'
  /**
   * Starts to listen. `accept` gets each connection and sets its owner before it returns. One with TLS is
   * accepted before its handshake, so that whoever counts connections has counted it.
   */
  listen(options: ListenOptions, accept: (transport: Transport) => void): Promise<Listener>
  /** Starts to connect; the owner hears `onConnect` or `onClose`. */
  connect(address: TargetAddress, owner: TransportOwner, trust?: TargetTrust): Transport
}

export interface TargetTrust {
  /** PEM certificates to trust for `https` targets instead of the system's. */
  readonly ca?: string
  /** Of one release: whether the certificate counts, and whose it must be. */
  readonly tls?: TargetTls | undefined
}

/** For a transport whose owner has gone: it hears nothing more. */
export const NOBODY: TransportOwner = {
  onConnect: () => {},
  onData: () => {},
  onDrain: () => {},
  onEnd: () => {},
  onClose: () => {},
}
