/** Chunked bodies under the same test, and cut at every byte: reads end wherever the network likes. */
import { describe, expect, it } from 'vitest'
import { ChunkedFraming, MALFORMED } from './chunked.ts'
import { createRandom, mutate, pick } from './testing/mutation.ts'
import { opinionOnRequests } from './testing/second-opinion.ts'
import { BODY_FRAGMENTS, BODY_SEEDS } from './testing/seeds.ts'

const BODIES = 10_000
const ACCEPTED_MIN = BODIES / 20
const SPLIT_BODIES = 500

describe('chunked bodies, read by two parsers', () => {
  it('D18 whatever we accept, llhttp reads as the same data, also as we forward it', () => {
    const random = createRandom(4)
    const problems: string[] = []
    let accepted = 0
    for (let left = BODIES; left > 0; left -= 1) {
      const text = mutate(pick(random, BODY_SEEDS), random, BODY_FRAGMENTS)
      const seen = follow([text])
      if (!seen.done) continue
      accepted += 1
      for (const body of [text.slice(0, seen.end), seen.forwarded]) {
        const [first, second] = opinionOnRequests(HEAD + body + NEXT_REQUEST).messages
        const agrees = first?.body === seen.data && second?.target === '/next'
        if (!agrees) problems.push(JSON.stringify(body))
      }
    }
    expect(problems).toEqual([])
    expect(accepted).toBeGreaterThan(ACCEPTED_MIN)
  })

  it('D18 where a read ends changes nothing: every split of a body gives the same verdict', () => {
    const random = createRandom(5)
    const problems: string[] = []
    for (let left = SPLIT_BODIES; left > 0; left -= 1) {
      const text = mutate(pick(random, BODY_SEEDS), random, BODY_FRAGMENTS)
      const whole = JSON.stringify(follow([text]))
      for (let at = 1; at < text.length; at += 1) {
        const reads = [text.slice(0, at), text.slice(at)]
        if (JSON.stringify(follow(reads)) !== whole) problems.push(JSON.stringify(reads))
      }
    }
    expect(problems).toEqual([])
  })

  it('D18 bodies that arrive byte by byte are the same bodies', () => {
    for (const body of BODY_SEEDS) expect(follow(body.split(''))).toEqual(follow([body]))
  })
})

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
const NEXT_REQUEST = 'GET /next HTTP/1.1\r\nHost: n\r\n\r\n'

interface Followed {
  readonly end: number
  readonly done: boolean
  readonly data: string
  readonly forwarded: string
}

/** Follows a body through its reads, once forwarding it as it is and once taking its data out. */
const follow = (reads: readonly string[]): Followed => {
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
