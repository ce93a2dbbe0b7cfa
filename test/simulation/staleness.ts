/** Whether the scopes of an append are enough: what they let through must still be right. */
import { decide, subjectOf, type Command, type Gateway, type GatewayEvent } from '@gatehouse/domain'

/**
 * `events` were decided on an older state, whose generation was `generation`, and no scope has moved
 * since. Throws unless `gateway`, the newest state, leads to the same, but for the numbers it counts.
 *
 * Seen to fail by `scopesOf` without the service, without the hosts of a declaration, of a switch or
 * of an activation, and without the services that lose a host. One that leaves out the owner of a
 * host that was found taken is met once in a thousand histories; `scopes.test.ts` has that one.
 */
export const checkStale = (
  command: Command,
  events: readonly GatewayEvent[],
  generation: number,
  gateway: Gateway,
): void => {
  const again = decide(command, gateway)
  const then = textOfDecision(events, generation)
  const now =
    'accepted' in again
      ? textOfDecision(again.accepted, gateway.generation)
      : JSON.stringify(again.rejected)
  if (then === now) return
  throw new Error(
    `A stale ${command.type} of ${Object.values(subjectOf(command)).join()} went through as ${then}; on the newest state it is ${now}.`,
  )
}

const COUNTED = new Set(['generation', 'revision', 'by'])

/** Numbers that a decision takes for itself are only `next`, so that two states' can be compared. */
const textOfDecision = (events: readonly GatewayEvent[], generation: number): string =>
  JSON.stringify(events, (key, value: unknown) =>
    COUNTED.has(key) && value === generation + 1 ? 'next' : value,
  )
