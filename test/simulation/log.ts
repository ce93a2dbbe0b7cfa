/**
 * The log as an array. It makes the one promise that decisions rely on: an append is refused when any
 * of its scopes has moved since the position that the decision was made at.
 */
import { type GatewayEvent } from '@gatehouse/domain'

export interface SimulatedLog {
  /** The event at position n is `events[n - 1]`: positions are dense and start at 1. */
  readonly events: readonly GatewayEvent[]
  /** Whether another append has moved a scope past the position. */
  readonly hasMoved: (scopes: readonly string[], readAt: number) => boolean
  readonly append: (events: readonly GatewayEvent[], scopes: readonly string[]) => void
}

export const createLog = (): SimulatedLog => {
  const log: GatewayEvent[] = []
  const movedAt = new Map<string, number>()
  return {
    events: log,
    hasMoved: (scopes, readAt) => scopes.some((scope) => (movedAt.get(scope) ?? 0) > readAt),
    append: (events, scopes) => {
      log.push(...events)
      for (const scope of scopes) movedAt.set(scope, log.length)
    },
  }
}
