/**
 * TLS for accepted connections on the public API of `node:tls`: the client's first message is read from
 * the plain socket, and once it is known what to answer with, a TLSSocket takes the socket over.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Greeting, type Greeted } from './greeting.ts'
import {
  failureOfTlsError,
  isSameName,
  type HandshakeFailure,
  type TlsSession,
  type TlsTerms,
} from './tls-terms.ts'

/** The transport that a connection is for, which began in the clear. */
export interface Securable {
  secured(socket: Socket, session: TlsSession): void
  fail(error: Error): void
  destroy(): void
}

/** Has the transport hear `onConnect` when the handshake is done; until then it hears but of a close. */
export const serveTls = (socket: Socket, terms: TlsTerms, transport: Securable): void => {
  const greeting = new Greeting(terms)
  let failure: HandshakeFailure | undefined
  let done = false
  const deadline = setTimeout(() => fail('timeout'), terms.handshakeMs)

  const fail = (reason: HandshakeFailure): void => {
    failure ??= reason
    transport.destroy()
  }

  const greet = (buffer: Buffer): void => {
    const greeted = greeting.read(buffer, buffer.length)
    if (greeted === 'incomplete') return
    socket.off('data', greet)
    if (greeted.kind === 'served') shake(greeted)
    else {
      failure = greeted.reason
      socket.end(greeted.farewell, 'latin1')
      // What it still sends must be read, or the end of its connection would overtake our words.
      socket.on('data', () => {}).on('end', () => socket.destroy())
    }
  }

  const shake = ({ hello, choice, bytes }: Extract<Greeted, { kind: 'served' }>): void => {
    socket.pause()
    socket.unshift(bytes)
    const requestCert = choice.clientCertificate === 'required'
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: choice.context,
      ALPNProtocols: choice.applicationProtocols,
      requestCert,
      rejectUnauthorized: requestCert,
    })
    secure.on('error', (error) => {
      failure ??= done ? undefined : failureOfTlsError(error)
      transport.fail(error)
    })
    secure.once('end', () => {
      if (!done) fail('left')
    })
    secure.on('close', () => socket.destroy())
    const establish = (): void => {
      if (socket.destroyed || secure.destroyed) return
      if (!isSameName(secure.servername, hello.serverName)) return fail('protocol-error')
      if (requestCert && !isVerified(secure)) return fail('client-certificate')
      done = true
      clearTimeout(deadline)
      terms.onHandshake(secure.isSessionReused() ? 'resumed' : 'full')
      transport.secured(secure, {
        serverName: hello.serverName,
        applicationProtocol: secure.alpnProtocol || undefined,
        identity: choice.identity,
        clientCertificate: requestCert ? secure.getPeerX509Certificate() : undefined,
      })
    }
    // This is said from within OpenSSL, where nothing may be closed: a moment later, anything may.
    secure.once('secure', () => setImmediate(establish))
  }

  socket.on('data', greet)
  socket.once('end', () => {
    if (!done) fail('left')
  })
  socket.once('close', () => {
    clearTimeout(deadline)
    if (!done) terms.onHandshake(failure ?? 'left')
  })
}

/**
 * Node judges for itself only what its own server has accepted. Below, it has OpenSSL's verdict; where
 * that cannot be had, nobody is verified.
 */
const isVerified = (secure: TLSSocket): boolean => {
  const handle: unknown = Reflect.get(secure, '_handle')
  if (typeof handle !== 'object' || handle === null) return false
  const verifyError: unknown = Reflect.get(handle, 'verifyError')
  if (typeof verifyError !== 'function') return false
  const problem: unknown = verifyError.call(handle)
  return (problem ?? undefined) === undefined && secure.getPeerX509Certificate() !== undefined
}
