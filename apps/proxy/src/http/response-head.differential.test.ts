/** Responses under the same test as requests: whatever we accept, llhttp reads the same way. */
import { describe, expect, it } from 'vitest'
import { forwardedResponseHead } from './forward-head.ts'
import { headEnd } from './head-end.ts'
import { createResponseHead, parseResponseHead } from './response-head.ts'
import { createRandom, mutate, pick } from './testing/mutation.ts'
import { responseDisagreements } from './testing/response-agreement.ts'
import { HEAD_FRAGMENTS, RESPONSE_SEEDS } from './testing/seeds.ts'

const HEADS = 10_000
const ACCEPTED_MIN = HEADS / 10

describe('responses, read by two parsers', () => {
  it('D18 whatever we accept, llhttp reads as the same response, also as we write it', () => {
    const random = createRandom(3)
    const head = createResponseHead()
    const problems: string[] = []
    let accepted = 0
    for (let left = HEADS; left > 0; left -= 1) {
      const text = mutate(pick(random, RESPONSE_SEEDS), random, HEAD_FRAGMENTS)
      const end = headEnd(text)
      if (end < 0 || parseResponseHead(text, end, head) !== 0) continue
      accepted += 1
      problems.push(...responseDisagreements(text.slice(0, end), head, 'GET'))
      // A 101 ends HTTP on its connection, and llhttp leaves it to its caller to find out.
      if (head.status === 101) continue
      const written = forwardedResponseHead(head, 1, head.keepAlive)
      const refusal = parseResponseHead(written, headEnd(written), head)
      if (refusal === 0) problems.push(...responseDisagreements(written, head, 'GET'))
      else problems.push(`we refuse what we wrote: ${JSON.stringify(written)}`)
    }
    expect(problems).toEqual([])
    expect(accepted).toBeGreaterThan(ACCEPTED_MIN)
  })
})
