/** Whether llhttp reads a chunked body that we have accepted in the way we do. For tests only. */
import { ChunkedFraming, MALFORMED } from '../chunked.ts'
import { opinionOnRequests } from './strict-reader.ts'

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
const NEXT_REQUEST = 'GET /next HTTP/1.1\r\nHost: n\r\n\r\n'

export interface FollowedBody {
  /** The index just past it, or MALFORMED. */
  readonly end: number
  readonly done: boolean
  readonly data: string
  /** As it leaves, its trailers kept. */
  readonly forwarded: string
}

/** Follows a body through its reads, once forwarding it as it is and once taking its data out. */
export const followBody = (reads: readonly string[]): FollowedBody => {
  let data = ''
  let forwarded = ''
  let consumed = 0
  const framing = new ChunkedFraming(true)
  const decoding = new ChunkedFraming(false, (buffer, from, to) => {
    data += buffer.toString('latin1', from, to)
  })
  for (const read of reads) {
    const buffer = Buffer.from(read, 'latin1')
    const end = framing.scan(buffer, 0, buffer.length)
    if (decoding.scan(buffer, 0, buffer.length) !== end) throw new Error('the two ways disagree')
    if (end === MALFORMED) return { end, done: false, data: '', forwarded: '' }
    consumed += end
    forwarded += buffer.toString('latin1', 0, framing.forwardTo)
    if (framing.done) break
  }
  return { end: consumed, done: framing.done, data, forwarded: forwarded + framing.tail }
}

/** What llhttp says differently of `body`, whole, as it came or as it leaves. */
export const bodyDisagreements = (body: string, data: string): readonly string[] => {
  const opinion = opinionOnRequests(HEAD + body + NEXT_REQUEST)
  const [first, second] = opinion.messages
  const agrees = first?.body === data && second?.target === '/next'
  return agrees ? [] : [`llhttp reads ${JSON.stringify(first?.body)} in ${JSON.stringify(body)}`]
}

/** Whether the body chunked in this text is a whole one for llhttp. */
export const opinionOnBody = (body: string): boolean =>
  opinionOnRequests(HEAD + body).messages[0]?.complete === true
