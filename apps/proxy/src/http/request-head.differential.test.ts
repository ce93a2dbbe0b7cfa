/**
 * Two parsers, one truth: whatever we accept, llhttp must accept too, with the same method, target,
 * host and framing, and with the message ending at the same byte. The other direction is free: we
 * refuse much that llhttp takes. Heads are seeds, broken at random, and repeatably.
 */
import { describe, expect, it } from 'vitest'
import { createPeer, forwardedRequestHead } from './forward-head.ts'
import { headEnd } from './head-end.ts'
import { parseRequestHead } from './request-head.ts'
import { createRequestHead, type RequestHead } from './request.ts'
import { createRandom, mutate, pick } from './testing/mutation.ts'
import { requestDisagreements } from './testing/request-agreement.ts'
import { HEAD_FRAGMENTS, REQUEST_SEEDS } from './testing/seeds.ts'

const HEADS = 20_000
/** Mutations break most heads; were fewer accepted than this, little would be proved. */
const ACCEPTED_MIN = HEADS / 10

const peer = createPeer('192.0.2.1', 'http', false)
const destination = { hostHeader: 'preserve', authority: 'target:80', basePath: '' } as const

describe('requests, read by two parsers', () => {
  it('D18 whatever we accept, llhttp reads as the same request with the same end', () => {
    const head = createRequestHead()
    const problems: string[] = []
    let accepted = 0
    for (const text of mutatedHeads(1)) {
      const end = headEnd(text)
      if (end < 0 || parseRequestHead(text, end, head) !== 0) continue
      accepted += 1
      problems.push(...requestDisagreements(text.slice(0, end), head))
    }
    expect(problems).toEqual([])
    expect(accepted).toBeGreaterThan(ACCEPTED_MIN)
  })

  it('D18 what we write is accepted again, by us and by llhttp, and written alike', () => {
    const head = createRequestHead()
    const problems: string[] = []
    for (const text of mutatedHeads(2)) {
      const end = headEnd(text)
      if (end < 0 || parseRequestHead(text, end, head) !== 0) continue
      // A request without Host gets the target's, which makes it another request.
      if (head.authority === '') continue
      const written = write(head)
      const refusal = parseRequestHead(written, headEnd(written), head)
      if (refusal !== 0) problems.push(`we refuse what we wrote with ${refusal}: ${show(written)}`)
      else if (write(head) !== written) problems.push(`not written alike: ${show(written)}`)
      else problems.push(...requestDisagreements(written, head))
    }
    expect(problems).toEqual([])
  })
})

const mutatedHeads = function* (seed: number): Generator<string> {
  const random = createRandom(seed)
  for (let left = HEADS; left > 0; left -= 1) {
    yield mutate(pick(random, REQUEST_SEEDS), random, HEAD_FRAGMENTS)
  }
}

const write = (head: RequestHead): string => forwardedRequestHead(head, peer, destination, 'id', 0)
const show = (text: string): string => JSON.stringify(text)
