/**
 * Whether TLS on a transport does what it must, here and with this Node: a conversation with itself over
 * loopback, of which `node:tls` is the other end. It needs no certificate: both ends agree to do without,
 * in the way of RFC 4492 §3.5 that is never offered to anybody else.
 */
import { connect, createSecureContext } from 'node:tls'
import { Echo, SELF_TEST_MS } from './self-test.ts'
import { netSockets } from './net.ts'
import { applicationProtocols, type TlsTerms } from './tls-terms.ts'
import type { Listener, Sockets, Transport } from './transport.ts'

/** More than a record, and than the kernel takes at once. */
const CONTENT = Buffer.alloc(1_500_000, 'gatehouse')

const ANONYMOUS = {
  ciphers: 'AECDH-AES256-SHA:@SECLEVEL=0',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const

/** The sockets with their own TLS where it works, else with that of `node:tls`, and why. */
export const withProvenTls = async (
  sockets: Sockets,
): Promise<{ readonly sockets: Sockets; readonly fellBackBecause?: string }> => {
  const problem = await tlsProblem(sockets)
  if (problem === undefined || sockets === netSockets) return { sockets }
  return {
    fellBackBecause: problem,
    sockets: {
      ...sockets,
      listen: (options, accept) =>
        options.tls === undefined
          ? sockets.listen(options, accept)
          : netSockets.listen(options, accept),
    },
  }
}

/** Undefined when all is well, else what went wrong. */
export const tlsProblem = async (sockets: Sockets): Promise<string | undefined> => {
  let listener: Listener | undefined
  const open = new Set<Transport>()
  try {
    const tls: TlsTerms = {
      choose: () => ({
        kind: 'serve',
        context: createSecureContext(ANONYMOUS),
        applicationProtocols: applicationProtocols(['http/1.1']),
        clientCertificate: 'ignored',
        identity: { covers: () => true, clientAuthority: undefined },
      }),
      handshakeMs: SELF_TEST_MS,
      onHandshake: () => {},
    }
    listener = await sockets.listen(
      { host: '127.0.0.1', port: 0, backlog: 8, reusePort: false, tls },
      (transport) => {
        open.add(transport)
        transport.owner = new Echo(transport)
      },
    )
    return await converse(listener.port)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    for (const transport of open) transport.destroy()
    listener?.close()
  }
}

const converse = (port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const parts: Buffer[] = []
    const socket = connect(
      // Nobody is trusted by what is said here, and nobody can be asked for a certificate.
      { host: '127.0.0.1', port, ...ANONYMOUS, rejectUnauthorized: false },
      () => socket.end(CONTENT),
    )
    socket.setTimeout(SELF_TEST_MS, () => socket.destroy(new Error('no answer in time')))
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.on('error', (error) => resolve(error.message))
    socket.on('end', () => {
      resolve(Buffer.concat(parts).equals(CONTENT) ? undefined : 'what came back differs')
    })
    socket.on('close', () => resolve('closed before the end'))
  })
