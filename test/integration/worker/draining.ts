/** A release that drains, and what a proxy may still hold of it. */
import type { ProxyPresence } from '@gatehouse/events'
import { deploy, type TestFleet } from './fleet.ts'

/** Work of the release that `switchAway` leaves. */
export const holding = (about: {
  readonly requests?: number
  readonly upgraded?: number
  readonly cut?: number
}): ProxyPresence['work'] => [
  { service: 'web', release: 'blue', revision: 1, requests: 0, upgraded: 0, cut: 0, ...about },
]

/** Makes blue active, then green: blue drains. Answers the position at which it does. */
export const switchAway = async (fleet: TestFleet): Promise<number> => {
  const target = 'http://127.0.0.1:9'
  await fleet.submit(deploy('web', 'blue', [target], { skip: true }))
  const switched = await fleet.submit(deploy('web', 'green', [target], { skip: true }))
  if (switched.kind !== 'accepted') throw new Error(`the deploy of green was ${switched.kind}`)
  return switched.last
}
