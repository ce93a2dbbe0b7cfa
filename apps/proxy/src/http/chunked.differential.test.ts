/** Chunked bodies under the same test, and cut at every byte: reads end wherever the network likes. */
import { describe, expect, it } from 'vitest'
import { bodyDisagreements, followBody } from './testing/body-agreement.ts'
import { createRandom, mutate, pick } from './testing/mutation.ts'
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
      const seen = followBody([text])
      if (!seen.done) continue
      accepted += 1
      for (const body of [text.slice(0, seen.end), seen.forwarded]) {
        problems.push(...bodyDisagreements(body, seen.data))
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
      const whole = JSON.stringify(followBody([text]))
      for (let at = 1; at < text.length; at += 1) {
        const reads = [text.slice(0, at), text.slice(at)]
        if (JSON.stringify(followBody(reads)) !== whole) problems.push(JSON.stringify(reads))
      }
    }
    expect(problems).toEqual([])
  })

  it('D18 bodies that arrive byte by byte are the same bodies', () => {
    for (const body of BODY_SEEDS) expect(followBody(body.split(''))).toEqual(followBody([body]))
  })
})
