/**
 * The fleet's session ticket keys: looked for now and then, so that a client can go on with its session at
 * whichever proxy it comes to next. Without them, each proxy resumes only what it has begun itself.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { TicketKeys } from '@gatehouse/events'

export interface TicketKeysParts {
  readonly read: () => Promise<TicketKeys>
  /** New ones, 48 bytes; not called while they stay the same. */
  readonly onKeys: (newest: Buffer) => void
  readonly onTrouble: (why: string) => void
  readonly signal: AbortSignal
}

/** How long two proxies may seal with different keys after a rotation: clients shake hands anew then. */
const LOOK_EVERY_MS = 60_000
const RETRY_MS = 1_000
/** Clients come before keys: a start waits no longer for them. */
const FIRST_MS_MAX = 1_000

/** Resolves when the first keys are there, or are too long in coming. */
export const followTicketKeys = async (parts: TicketKeysParts): Promise<void> => {
  const { promise: first, resolve } = Promise.withResolvers<void>()
  void look(parts, resolve)
  await Promise.race([first, delay(FIRST_MS_MAX, undefined, { ref: false })])
}

const look = async (
  { read, onKeys, onTrouble, signal }: TicketKeysParts,
  onFirst: () => void,
): Promise<void> => {
  let newest: Buffer | undefined
  let trouble: string | undefined
  while (!signal.aborted) {
    let waitMs = LOOK_EVERY_MS
    try {
      const [key] = await read()
      if (key !== undefined && newest?.equals(key.bytes) !== true) onKeys(key.bytes)
      newest = key?.bytes
      trouble = undefined
      onFirst()
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (why !== trouble) onTrouble(why)
      trouble = why
      waitMs = RETRY_MS
    }
    await delay(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}
