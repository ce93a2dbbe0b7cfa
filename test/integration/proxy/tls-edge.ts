/** An edge that clients reach over TLS too, with certificates of a test's own authority. */
import { once } from 'node:events'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { DataPlaneOptions } from '../../../apps/proxy/src/data-plane.ts'
import { readBundle, type Bundle } from '../../../apps/proxy/src/tls/bundle.ts'
import { createAuthority, type TestCertificate } from '../../support/certificates.ts'
import { RawClient, startEdge, type Edge } from './edge.ts'

export interface SecureEdge {
  readonly edge: Edge
  readonly port: number
  /** A client that trusts the authority and asks for the name; '' for none. */
  readonly connect: (servername: string, options?: ConnectionOptions) => Promise<SecureClient>
  /** A client's first and only request; reads until the proxy closes. */
  readonly ask: (servername: string, request: string) => Promise<string>
}

export interface SecureClient {
  readonly socket: TLSSocket
  readonly raw: RawClient
  /** The serial number of what the proxy has shown. */
  readonly serial: string
}

export const AUTHORITY = createAuthority()

export const bundleOf = ({ cert, key }: TestCertificate): Bundle => {
  const read = readBundle(cert, key)
  if (read.kind === 'unfit') throw new Error(read.problem)
  return read.bundle
}

export const startSecureEdge = async (
  options: Partial<DataPlaneOptions> = {},
): Promise<SecureEdge & AsyncDisposable> => {
  const edge = await startEdge(options)
  const { port } = await edge.plane.listenSecure({ host: '127.0.0.1', port: 0 })
  const sockets: TLSSocket[] = []

  const open = async (servername: string, more: ConnectionOptions = {}): Promise<SecureClient> => {
    const socket = connect({ port, host: '127.0.0.1', servername, ca: AUTHORITY.ca, ...more })
    sockets.push(socket)
    const raw = new RawClient(socket)
    await once(socket, 'secureConnect')
    return { socket, raw, serial: socket.getPeerX509Certificate()?.serialNumber ?? '' }
  }

  return {
    edge,
    port,
    connect: open,
    ask: async (servername, request) => {
      const { raw, socket } = await open(servername)
      raw.send(request)
      await once(socket, 'end')
      return raw.text
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await edge[Symbol.asyncDispose]()
    },
  }
}
