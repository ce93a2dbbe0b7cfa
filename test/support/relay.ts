/**
 * A wire between a program and a server that can be frozen: bytes stay where they are, and neither side
 * is told. That is how a machine that is cut off looks to everybody else.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Relay extends AsyncDisposable {
  readonly port: number
  readonly freeze: () => void
  readonly thaw: () => void
}

export const startRelay = async (target: {
  readonly host: string
  readonly port: number
}): Promise<Relay> => {
  const sockets = new Set<Socket>()
  let frozen = false
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket)
    if (frozen) socket.pause()
    socket.on('data', (bytes) => void other.write(bytes))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      other.destroy()
    })
  }
  const server = createServer((client) => {
    const toServer = connect(target)
    keep(client, toServer)
    keep(toServer, client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => {
      frozen = true
      for (const socket of sockets) socket.pause()
    },
    thaw: () => {
      frozen = false
      for (const socket of sockets) socket.resume()
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
