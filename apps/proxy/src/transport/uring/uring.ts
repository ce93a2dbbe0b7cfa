/**
 * The transport on io_uring: what all sockets have to do in a turn of the loop reaches the kernel in one
 * system call. `node:net` still binds, resolves names and connects; what comes of it is ours.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { createHandleSockets } from '../handle.ts'
import { netSockets, openSocket, startListening } from '../net.ts'
import type { Listener, Sockets } from '../transport.ts'
import { createEngine, type Engine } from './engine.ts'
import { UringListener } from './listener.ts'
import { UringTransport } from './socket.ts'
import { systemCalls, systemError } from './system-calls.ts'

/** Undefined where the kernel or this Node does not have what it takes. */
export const createUringSockets = (): Sockets | undefined => {
  const engine = (theEngine ??= openEngine())
  return engine === undefined ? undefined : socketsOf(engine)
}

const socketsOf = (engine: Engine): Sockets => {
  const { calls } = engine
  return {
    name: 'uring',
    listen: async (options, accept): Promise<Listener> => {
      // Node's TLS stands on a handle of libuv.
      if (options.tls !== undefined) {
        return (createHandleSockets() ?? netSockets).listen(options, accept)
      }
      const server = createServer()
      const { host, port } = await startListening(server, options)
      const descriptor = takeDescriptor(engine, server)
      server.close()
      return new UringListener(engine, descriptor, { host, port }, accept)
    },
    connect: (address, owner, trust = {}) => {
      // The bytes of a TLS socket are not those of its descriptor.
      if (address.kind === 'tcp' && address.tls) return netSockets.connect(address, owner, trust)
      const socket = openSocket(address, trust)
      const transport = new UringTransport(engine, '', () => socket.destroy())
      transport.owner = owner
      socket.once('error', (error) => transport.fail(error))
      socket.once('connect', () => {
        // Before it reads anything.
        socket.pause()
        const descriptor = takeDescriptor(engine, socket)
        socket.destroy()
        // The kernel is to wait for it, rather than to say that there is nothing yet.
        calls.fcntl(descriptor, SET_STATUS, 0)
        transport.adopt(descriptor)
        transport.owner.onConnect()
      })
      return transport
    },
  }
}

/** Containers often forbid it, as do careful administrators (`kernel.io_uring_disabled`). */
const openEngine = (): Engine | undefined => {
  const calls = systemCalls()
  if (calls === undefined) return undefined
  try {
    return createEngine(calls)
  } catch {
    return undefined
  }
}

/** One for the process, for as long as it lives: libuv and the kernel know where its memory is. */
let theEngine: Engine | undefined

/** A second descriptor of the same socket, which stays when Node closes the first. */
const takeDescriptor = ({ calls }: Engine, of: Server | Socket): number => {
  const handle: unknown = Reflect.get(of, '_handle')
  const first: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined
  if (typeof first !== 'number' || first < 0) {
    throw new Error('a socket of this Node does not tell its descriptor')
  }
  const second = calls.fcntl(first, DUPLICATE_CLOSE_ON_EXEC, 0)
  if (second < 0) throw systemError(calls.errno(), 'fcntl')
  return second
}

const DUPLICATE_CLOSE_ON_EXEC = 1030
const SET_STATUS = 4
