/** Streams of messages through a data plane that listens. */
import { it } from 'vitest'
import { expectAgreement, HUNT_MS_MAX } from './hunt.ts'

it(
  'P1 D18 every byte is accounted for over sockets: requests in, requests out, answers back',
  () => expectAgreement('sockets', 16, 600),
  HUNT_MS_MAX,
)
