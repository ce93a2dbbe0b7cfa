/**
 * The transport on libuv's handles, one layer below `node:net`: a read comes into a buffer that is
 * there already, a write is one system call, and nothing is allocated on the way. `node:net` still
 * listens, resolves names and connects; the sockets that come of it are ours.
 */
import { createServer, type Socket } from 'node:net'
import {
  handleInternals,
  serverHandleOf,
  streamHandleOf,
  type HandleInternals,
  type StreamHandle,
} from './handle-internals.ts'
import { HandleTransport } from './handle-transport.ts'
import { netSockets, openSocket, startListening, withoutMapping } from './net.ts'
import { tlsInternals, type WrapServer } from './tls-internals.ts'
import { TlsTransport } from './tls-transport.ts'
import type { Sockets } from './transport.ts'

/**
 * Undefined when this Node does not have what it takes. Where it lacks only what TLS takes, connections
 * with TLS are those of `node:tls`.
 */
export const createHandleSockets = (
  internals: HandleInternals | undefined = handleInternals(),
  wrap: WrapServer | undefined = tlsInternals(),
): Sockets | undefined => {
  if (internals === undefined) return undefined
  return {
    name: 'handle',
    listen: async (options, accept) => {
      const { tls } = options
      if (tls !== undefined && wrap === undefined) return netSockets.listen(options, accept)
      const server = createServer()
      const listener = await startListening(server, options)
      const handle = serverHandleOf(server)
      if (handle === undefined) throw new Error('a server of this Node has no handle')
      // Node would make a socket of each. An error is one connection's accept.
      handle.onconnection = (_status, client) => {
        if (client === undefined) return
        client.setNoDelay?.(true)
        const address = peerAddress(client)
        if (tls === undefined || wrap === undefined) {
          const transport = new HandleTransport(internals, client, address)
          accept(transport)
          transport.start()
        } else {
          const transport = new TlsTransport(internals, client, address)
          accept(transport)
          transport.start(wrap, tls)
        }
      }
      return listener
    },
    connect: (address, owner, trust = {}) => {
      // The bytes of a TLS socket are not those of its handle.
      if (address.kind === 'tcp' && address.tls) return netSockets.connect(address, owner, trust)
      const socket = openSocket(address, trust)
      const transport = new HandleTransport(internals, new Connecting(socket), '')
      transport.owner = owner
      socket.once('error', (error) => transport.fail(error))
      socket.once('connect', () => {
        transport.adopt(takeOver(socket))
        transport.owner.onConnect()
        transport.start()
      })
      return transport
    },
  }
}

/** Stands for the handle of a socket that is not connected yet, of which only closing makes sense. */
class Connecting implements StreamHandle {
  onread = (): undefined => undefined
  holder: unknown
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  close(closed: (this: StreamHandle) => void): void {
    this.#socket.destroy()
    // Not within the call that closes it.
    setImmediate(() => closed.call(this))
  }

  useUserBuffer = (): void => {}
  readStart = (): number => 0
  readStop = (): number => 0
  shutdown = (): number => NOT_CONNECTED
  writeLatin1String = (): number => NOT_CONNECTED
  writeBuffer = (): number => NOT_CONNECTED
  writev = (): number => NOT_CONNECTED
}

/** `UV_ENOTCONN`. */
const NOT_CONNECTED = -107

/** The handle of a connected socket, which is left without. */
const takeOver = (socket: Socket): StreamHandle => {
  const handle = streamHandleOf(socket)
  if (handle === undefined) throw new Error('a connected socket of this Node has no handle')
  socket.pause()
  Object.assign(socket, { _handle: null })
  handle.owner = undefined
  return handle
}

const peerAddress = (handle: StreamHandle): string => {
  const name: { address?: string } = {}
  handle.getpeername?.(name)
  return withoutMapping(name.address ?? '')
}
