/** The books would show it if something were wrong: each entry is falsified once. */
import { describe, expect, it } from 'vitest'
import { accountFor, type Outcome } from './account.ts'
import type { Case } from './case.ts'
import { createMemoryPlane } from './memory-plane.ts'
import { asRegression, minimise } from './minimise.ts'
import { disagreement, BOTH, type Level } from './case.ts'

const example: Case = {
  level: 'pipelines',
  input:
    'POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n' +
    'GET http://b/2 HTTP/1.1\r\nHost: b\r\n\r\n',
  cuts: [3, 70],
  answers: ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'HTTP/1.1 204 No\r\n\r\n'],
  pieceBytes: 7,
  early: true,
}

const honest = createMemoryPlane().play(example)
const [first, second] = honest.requests
if (first === undefined || second === undefined) throw new Error('two requests were sent')

const withFirst = (part: Partial<typeof first>): Partial<Outcome> => ({
  requests: [{ ...first, ...part }, second],
})

describe('the books', () => {
  it('P1 are in order for an honest proxy', () => {
    expect(accountFor(example.input, honest)).toEqual(BOTH)
  })

  it.each<readonly [string, Partial<Outcome>]>([
    ['a request that was lost', { requests: [first] }],
    ['a request that nobody sent', { requests: [first, second, second] }],
    ['requests in another order', { requests: [second, first] }],
    ['another method', withFirst({ method: 'PUT' })],
    ['another target', withFirst({ target: '/2' })],
    ['another host', withFirst({ rawFields: ['Host', 'c'] })],
    ['a second Host', withFirst({ rawFields: ['Host', 'a', 'Host', 'a'] })],
    ['a byte less', withFirst({ body: 'on' })],
    ['a byte more', withFirst({ body: 'one!' })],
    ['a forged address', withFirst({ rawFields: ['Host', 'a', 'X_Forwarded-For', '6.6.6.6'] })],
    ['an answer that was lost', { received: honest.received.slice(0, -30) }],
    ['an answer that nobody gave', { received: `${honest.received}${example.answers[0]}` }],
    ['another status', { received: honest.received.replace('204', '205') }],
    ['other content', { received: honest.received.replace('ok', 'no') }],
    ['a claim that is left', { problems: ['a claim is left'] }],
    ['bytes in a tunnel that nobody dug', { tunnelled: 'x' }],
  ])('P1 show %s', (_, falsified) => {
    const verdict = accountFor(example.input, { ...honest, ...falsified })
    expect(verdict.kind).toBe('disagreement')
  })
})

it('P1 a find is cut down to what matters, and shown to be kept', async () => {
  const level: Level = {
    name: 'pipelines',
    generate: () => example,
    judge: ({ input }) => (input.includes('one') ? disagreement('it has "one"') : BOTH),
  }
  const least = await minimise(level, example)
  expect(least).toEqual({
    level: 'pipelines',
    input: 'one',
    cuts: [],
    answers: [''],
    pieceBytes: 0,
    early: false,
  })
  expect(asRegression(least, 5)).toContain('    input: "one",\n    cuts: [],\n    answers: [""],')
})
