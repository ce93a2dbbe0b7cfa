/** A client of HTTP/2 by Node, which is to say by nghttp2: other people's work, and so an oracle for ours. */
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { eventually } from '../../support/eventually.ts'

export interface Http2Client extends AsyncDisposable {
  readonly session: ClientHttp2Session
  /** Sends a request and its content, and waits for the whole answer. */
  ask(fields: OutgoingHttpHeaders, content?: string | Buffer): Promise<Http2Answer>
  /** Sends a head, and leaves the rest to the test. */
  open(fields: OutgoingHttpHeaders, endStream?: boolean): OpenStream
  /** The code of a GOAWAY; undefined before it has come. */
  readonly goAways: readonly number[]
  readonly closed: boolean
}

export interface Http2Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly trailers: IncomingHttpHeaders
  /** Statuses of the interim answers. */
  readonly interim: readonly number[]
  /** Of RST_STREAM; 0 when there was none. */
  readonly code: number
}

export interface OpenStream {
  readonly stream: ClientHttp2Stream
  readonly answer: () => Http2Answer
  readonly ended: () => Promise<Http2Answer>
}

export const startHttp2Client = async (
  port: number,
  options: Parameters<typeof connect>[1] = {},
): Promise<Http2Client> => {
  const session = connect(`http://127.0.0.1:${port}`, options)
  const goAways: number[] = []
  let closed = false
  session.on('error', () => {})
  session.on('goaway', (code) => goAways.push(code))
  session.on('close', () => (closed = true))
  let isSpoken = false
  session.on('remoteSettings', () => (isSpoken = true))
  await eventually('HTTP/2 is spoken', () => isSpoken)

  const open = (fields: OutgoingHttpHeaders, endStream = false): OpenStream =>
    openStream(session.request({ ':authority': 'app.test', ...fields }, { endStream }))

  return {
    session,
    open,
    ask: (fields, content) => {
      const opened = open(fields, content === undefined)
      if (content !== undefined) opened.stream.end(content)
      return opened.ended()
    },
    goAways,
    get closed() {
      return closed
    },
    [Symbol.asyncDispose]: async () => {
      session.destroy()
      await eventually('the client has gone', () => closed)
    },
  }
}

const openStream = (stream: ClientHttp2Stream): OpenStream => {
  let headers: IncomingHttpHeaders = {}
  let trailers: IncomingHttpHeaders = {}
  let body = ''
  let ended = false
  let code = 0
  const interim: number[] = []
  stream.setEncoding('latin1')
  stream.on('headers', (each) => interim.push(Number(each[':status'])))
  stream.on('response', (each) => (headers = each))
  stream.on('trailers', (each) => (trailers = each))
  stream.on('data', (text: string) => (body += text))
  stream.on('error', () => {})
  stream.on('close', () => {
    ended = true
    code = stream.rstCode
  })
  const answer = (): Http2Answer => ({
    status: Number(headers[':status'] ?? 0),
    headers,
    body,
    trailers,
    interim,
    code,
  })
  return {
    stream,
    answer,
    ended: async () => {
      await eventually('the stream ends', () => ended)
      return answer()
    },
  }
}
