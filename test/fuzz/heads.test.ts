/** A short hunt in every run of the tests; `npm run fuzz` hunts for as long as one likes. */
import { it } from 'vitest'
import { expectAgreement, HUNT_MS_MAX } from './hunt.ts'

it(
  'P1 D18 llhttp takes every request head that we take, with the same meaning and end',
  () => expectAgreement('request-heads', 11, 60_000),
  HUNT_MS_MAX,
)

it(
  'P1 D18 llhttp takes every response head that we take, with the same meaning and end',
  () => expectAgreement('response-heads', 12, 60_000),
  HUNT_MS_MAX,
)

it(
  'P1 D18 llhttp takes every chunked body that we take, and no split of it changes anything',
  () => expectAgreement('chunked-bodies', 13, 12_000),
  HUNT_MS_MAX,
)
