/** One request over a connection of HTTP/2 of its own, for the checks of targets that speak it. */
import { once } from 'node:events'
import {
  connect,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import type { Release, TargetAddress } from '@gatehouse/domain'

export interface Http2Ask {
  readonly address: TargetAddress
  readonly tls: Release['tls']
  /** Method, path, authority and fields. */
  readonly headers: OutgoingHttpHeaders
  /** None: the request ends with its head. */
  readonly body?: Buffer
  /** How long the body of the answer is read, and how much of it; what is longer is cut off. */
  readonly bodyWithinMs: number
  readonly bodyBytesMax: number
  readonly signal: AbortSignal
}

export interface Http2Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Absent when the answer had none, or was not read to its end. */
  readonly trailers?: IncomingHttpHeaders
}

/** The code of an error whose message is the end of a sentence about a request. */
export const SAID = 'SAID'

/** Throws what kept the target from answering, and the signal's reason once it is aborted. */
export const askHttp2 = async (ask: Http2Ask): Promise<Http2Answer> => {
  const socket = openSocket(ask.address, ask.tls)
  const scheme = socket instanceof TLSSocket ? 'https' : 'http'
  const session = connect(`${scheme}://target`, { createConnection: () => socket })
  const failed = once(session, 'close').then(() => {
    throw failure('was cut off by the target before it answered')
  })
  // It is raced below; afterwards, to close the session is what we want.
  failed.catch(() => {})
  try {
    await Promise.race([connected(session, ask.signal), failed])
    if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
      throw failure('was not sent: the target does not offer h2 (ALPN)')
    }
    return await Promise.race([answerOf(session, ask), failed])
  } finally {
    session.destroy()
  }
}

/** `once` rejects with the session's error too. */
const connected = async (session: ClientHttp2Session, signal: AbortSignal): Promise<void> => {
  await once(session, 'connect', { signal })
  session.on('error', () => {})
}

const answerOf = async (session: ClientHttp2Session, ask: Http2Ask): Promise<Http2Answer> => {
  const { headers, body, signal } = ask
  const stream = session.request(
    { ':scheme': session.encrypted === true ? 'https' : 'http', ...headers },
    { endStream: body === undefined, signal },
  )
  const closed = once(stream, 'close').then(() => {
    throw failure('was cut off by the target before it answered')
  })
  // An answer ends with that too.
  closed.catch(() => {})
  let trailers: IncomingHttpHeaders | undefined
  stream.on('trailers', (fields) => (trailers = fields))
  stream.on('error', () => {})
  if (body !== undefined) stream.end(body)
  const answered = once(stream, 'response', { signal })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Node gives to this event
  const [answer] = (await Promise.race([answered, closed])) as [IncomingHttpHeaders]
  const enough = setTimeout(() => stream.destroy(), ask.bodyWithinMs)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of stream) {
      // A stream gives bytes as long as nobody sets an encoding.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const part = chunk as Buffer
      chunks.push(part)
      bytes += part.length
      if (bytes >= ask.bodyBytesMax) break
    }
  } catch {
    // The head is here already; what breaks off behind it is for the caller to judge.
  } finally {
    clearTimeout(enough)
  }
  signal.throwIfAborted()
  return {
    status: Number(answer[':status']),
    headers: answer,
    body: Buffer.concat(chunks),
    ...(trailers === undefined ? {} : { trailers }),
  }
}

const openSocket = (address: TargetAddress, trust: Release['tls']): Socket => {
  if (address.kind === 'unix') return connectTcp({ path: address.socketPath })
  const { hostname: host, port } = address
  if (!address.tls) return connectTcp({ host, port })
  const { verify = true, serverName = host } = trust ?? {}
  return connectTls({
    host,
    port,
    rejectUnauthorized: verify,
    ALPNProtocols: ['h2'],
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
  })
}

const failure = (message: string): Error => Object.assign(new Error(message), { code: SAID })
