/** Streams of messages through all of the serving code, cut at random places, and at every single one. */
import { accountFor, type Outcome } from './account.ts'
import { disagreement, type Case, type Level, type Verdict } from './case.ts'
import { answer, requestStream } from './grammar.ts'
import { createMemoryPlane } from './memory-plane.ts'
import type { Random } from '../../apps/proxy/src/http/testing/mutation.ts'

const CUTS_MAX = 6
const ANSWERS_MAX = 4
const PIECE_BYTES_MAX = 40

export const pipelines: Level = {
  name: 'pipelines',
  generate: (random) => stream('pipelines', random),
  judge: (example) => accountFor(example.input, plane.play(example)),
}

/** Where reads end may change nothing: neither what the target gets nor what the client is told. */
export const splits: Level = {
  name: 'splits',
  generate: (random) => ({ ...stream('splits', random), cuts: [], pieceBytes: 0, early: false }),
  judge: (example) => judgeSplits(example),
}

const plane = createMemoryPlane()

export const stream = (level: Case['level'], random: Random): Case => {
  const input = requestStream(random)
  return {
    level,
    input,
    cuts: Array.from({ length: random(CUTS_MAX) }, () => random(input.length + 1)),
    answers: Array.from({ length: 1 + random(ANSWERS_MAX) }, () => answer(random)),
    pieceBytes: random(2) === 0 ? 0 : 1 + random(PIECE_BYTES_MAX),
    early: random(5) === 0,
  }
}

const judgeSplits = (example: Case): Verdict => {
  const { input, answers } = example
  const outcome = plane.play(example)
  const whole = essenceOf(outcome)
  const longest = Math.max(...answers.map(({ length }) => length))
  const places = Array.from({ length: input.length }, (_, place) => place)
  const others: readonly Case[] = [
    ...places.map((place) => ({ ...example, cuts: [place] })),
    { ...example, cuts: places },
    ...Array.from({ length: longest }, (_, size) => ({ ...example, pieceBytes: size + 1 })),
  ]
  for (const other of others) {
    const played = plane.play(other)
    const seen = essenceOf(played)
    // Of a broken answer the client may have got a part, or a 502 in its place: then the books decide.
    if (isBroken(outcome) || isBroken(played)) {
      const verdict = accountFor(input, played)
      if (verdict.kind === 'disagreement') return verdict
    } else if (seen !== whole) {
      const { cuts, pieceBytes } = other
      const how = pieceBytes > 0 ? `answers by ${pieceBytes}` : `cut at ${cuts.join()}`
      return disagreement(`${how}: ${seen}, not ${whole}`)
    }
  }
  return accountFor(input, outcome)
}

/** What must not depend on reads: whole requests, and everything that the client is told. */
const essenceOf = ({ requests, received, tunnelled, problems }: Outcome): string =>
  JSON.stringify({
    requests: requests.filter(({ complete }) => complete),
    received,
    tunnelled,
    problems,
  })

const isBroken = ({ wasReset, received }: Outcome): boolean =>
  wasReset || received.includes('details="bad-answer"')
