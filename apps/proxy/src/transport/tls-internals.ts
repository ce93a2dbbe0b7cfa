/**
 * What Node's own TLS sockets are built on: a stream that encrypts, laid over the handle of a socket.
 * As with handle-internals.ts, nothing is believed of it that has not been looked for, and the self-test
 * has a conversation over it before anybody else does.
 */
import { X509Certificate } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import { isStreamHandle, type StreamHandle } from './handle-internals.ts'

/** Reads and writes clear text. It takes one write at a time: a second one ends the process. */
export interface TlsHandle extends StreamHandle {
  /** Called within OpenSSL: nothing may be done there but to take note. */
  onhandshakedone: () => void
  onhandshakestart: () => void
  onerror: (this: TlsHandle, error: Error) => void
  /** Bytes that were read from the socket before it was wrapped; copied. */
  receive(bytes: Buffer): void
  setALPNProtocols(list: Buffer): void
  setVerifyMode(requestCertificate: boolean, failWithout: boolean): void
  /** Undefined or null when the certificate verified, or none was sent. */
  verifyError(): Error | null | undefined
  getPeerCertificate(detailed: boolean): { readonly raw?: Buffer } | undefined
  getServername(): string | false
  getALPNNegotiatedProtocol(): string | false
  isSessionReused(): boolean
  /** Frees what OpenSSL holds. The handle below is left as it is. */
  destroySSL(): void
}

/** Lays TLS over a connected handle, as its server. */
export type WrapServer = (handle: StreamHandle, context: SecureContext) => TlsHandle

/** Undefined when this Node does not give it out. */
export const tlsInternals = (): WrapServer | undefined => {
  const binding: unknown = Reflect.get(process, 'binding')
  if (typeof binding !== 'function') return undefined
  let bound: unknown
  try {
    bound = binding('tls_wrap')
  } catch {
    return undefined
  }
  const wrap: unknown =
    typeof bound === 'object' && bound !== null ? Reflect.get(bound, 'wrap') : undefined
  if (typeof wrap !== 'function') return undefined
  return (handle, context) => {
    const native: unknown = Reflect.get(context, 'context')
    const wrapped: unknown = wrap(handle, native, true, false)
    if (!isTlsHandle(wrapped)) throw new Error('a TLS handle of this Node is not what we know')
    return wrapped
  }
}

/** The client's certificate, when there is one and it verified. */
export const verifiedCertificate = (handle: TlsHandle): X509Certificate | undefined => {
  if ((handle.verifyError() ?? undefined) !== undefined) return undefined
  const { raw } = handle.getPeerCertificate(false) ?? {}
  return raw === undefined ? undefined : new X509Certificate(raw)
}

const isTlsHandle = (value: unknown): value is TlsHandle =>
  isStreamHandle(value) && METHODS.every((name) => typeof Reflect.get(value, name) === 'function')

const METHODS = [
  'receive',
  'setALPNProtocols',
  'setVerifyMode',
  'verifyError',
  'getPeerCertificate',
  'getServername',
  'getALPNNegotiatedProtocol',
  'isSessionReused',
  'destroySSL',
]
