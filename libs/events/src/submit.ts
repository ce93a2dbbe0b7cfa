/**
 * The one way in: bring the state forward, decide, append, and decide again when somebody was faster.
 * Commands of people and reports of workers both come through here.
 */
import { setTimeout as delay } from 'node:timers/promises'
import {
  decide,
  scopesOf,
  type Command,
  type GatewayEvent,
  type Rejection,
} from '@gatehouse/domain'
import type { EventLog, Meta, Position } from './log.ts'
import { catchUp, type Replica } from './replica.ts'

export type Submitted =
  | {
      readonly kind: 'accepted'
      readonly first: Position
      readonly last: Position
      readonly events: readonly GatewayEvent[]
      /** The same command was accepted before; nothing has been appended now. */
      readonly duplicate: boolean
    }
  | { readonly kind: 'nothing-to-do' }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }
  /** Others were faster, every time. */
  | { readonly kind: 'contended' }

export const SUBMIT_TRIES = 10
const RETRY_MS_MAX = 20

/**
 * Submits a command. `replica` is brought forward on the way. Without a key of the caller's, the
 * command's own id makes a resent append harmless.
 */
export const submit = async (
  log: EventLog,
  replica: Replica,
  command: Command,
  meta: Meta,
  idempotencyKey: string = meta.command,
): Promise<Submitted> => {
  if (idempotencyKey !== meta.command) {
    const before = await log.accepted(idempotencyKey)
    if (before !== undefined) return acceptedBefore(log, before)
  }
  for (let tries = 0; tries < SUBMIT_TRIES; tries++) {
    if (tries > 1) await delay(Math.random() * RETRY_MS_MAX * tries)
    await catchUp(log, replica)
    const { gateway } = replica.table
    const decision = decide(command, gateway)
    if ('rejected' in decision) return { kind: 'rejected', rejection: decision.rejected }
    const [first, ...others] = decision.accepted
    if (first === undefined) return { kind: 'nothing-to-do' }
    const appended = await log.append([first, ...others], {
      readPosition: replica.place.position,
      scopes: scopesOf(command, decision.accepted, gateway),
      idempotencyKey,
      meta,
    })
    if (appended.kind === 'duplicate') return acceptedBefore(log, appended)
    if (appended.kind === 'appended') {
      return {
        kind: 'accepted',
        first: appended.first,
        last: appended.last,
        events: decision.accepted,
        duplicate: false,
      }
    }
  }
  return { kind: 'contended' }
}

const acceptedBefore = async (
  log: EventLog,
  { first, last }: { readonly first: Position; readonly last: Position },
): Promise<Submitted> => {
  const entries = await log.range(first, last)
  const events = entries.flatMap((entry) => (entry.kind === 'event' ? [entry.event] : []))
  return { kind: 'accepted', first, last, events, duplicate: true }
}
