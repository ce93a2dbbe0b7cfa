/**
 * What the jobs of a worker ask of the CA. Everything that knows the ACME library is behind this file,
 * which is loaded when the first certificate is called for: most workers never need it.
 */
import type { Bundle } from '@gatehouse/events'
import type acme from 'acme-client'
import { createExclusive } from '../exclusive.ts'
import { openAccount } from './account.ts'
import { certificateIdOf } from './certificate-id.ts'
import { openConnection, type AcmeConnection } from './connection.ts'
import { readDirectory, type Directory } from './directory.ts'
import { createDnsHook } from './dns-hook.ts'
import { placeOrder } from './order.ts'
import { AcmeFailure, AcmeRefusal, isAboutAccount } from './problem.ts'
import type { Showing } from './prove.ts'
import type { AcmeStore } from './redis-store.ts'
import { askForRenewal, type RenewalAdvice } from './renewal-info.ts'
import type { AcmeSettings } from './settings.ts'

export interface Authority {
  /** Throws `AcmeFailure` when this attempt brings no certificate. */
  readonly order: (wanted: Wanted, showing: ProxyShowing, signal: AbortSignal) => Promise<Bundle>
  /** Throws `AcmeFailure`; resolves also when it was revoked before. */
  readonly revoke: (chain: string, reason: number, signal: AbortSignal) => Promise<void>
  /** When the CA thinks that the certificate should be replaced; undefined when it gives no advice. */
  readonly advise: (chain: string, signal: AbortSignal) => Promise<RenewalAdvice | undefined>
}

/** What the proxies do for an order. */
export type ProxyShowing = Omit<Showing, 'dns'>

export interface Wanted {
  /** Tells this order from all others of the fleet. */
  readonly order: string
  readonly names: readonly string[]
  /** Attempts that have failed before this one. */
  readonly attempts: number
  /** The chain that the new one takes the place of. */
  readonly replaces: string | undefined
}

/**
 * Orders of the whole fleet in an hour: below Let's Encrypt's three hundred in any three hours, of which
 * at most four of these hours see a part.
 */
export const ORDERS_PER_HOUR_MAX = 75
/** After so many failures an order is rehearsed where failures are not counted, before it is placed again. */
const REHEARSED_AFTER = 3
const HOUR_MS = 3_600_000

/** `onTrouble` is told what went wrong without harm to an order. */
export const openAuthority = (
  settings: AcmeSettings,
  store: AcmeStore,
  onTrouble: (error: Error) => void,
): Authority => {
  const dns = settings.dns && createDnsHook(settings.dns, onTrouble)
  // The first orders of a fleet come together, and one account is enough for all of them.
  const oneAtATime = createExclusive()

  const act = async <Answer>(
    at: AcmeSettings,
    signal: AbortSignal,
    run: (client: acme.Client, directory: Directory) => Promise<Answer>,
  ): Promise<Answer> => {
    await using connection = openConnection(settings.trusted)
    const inside = async (): Promise<Answer> => {
      const directory = await readDirectory(at, connection, signal)
      const accounts = store.account(at.directory)
      try {
        const client = await oneAtATime(() => openAccount(at, directory, accounts))
        return await run(client, directory)
      } catch (error) {
        // The CA has forgotten it, so the next attempt registers anew.
        if (isAboutAccount(error)) await accounts.remove()
        throw error
      }
    }
    return await connection.through(signal, inside)
  }

  const orderAt = (
    at: AcmeSettings,
    { order, names, attempts, replaces }: Wanted,
    showing: ProxyShowing,
    signal: AbortSignal,
  ): Promise<Bundle> =>
    act(at, signal, (client, { renewalInfo }) => {
      const id =
        replaces === undefined || renewalInfo === undefined ? undefined : certificateIdOf(replaces)
      const choice = { kinds: inTurns(at.challenges, attempts), dns: dns !== undefined }
      const terms = {
        names,
        choice,
        ...(at.profile === undefined ? {} : { profile: at.profile }),
        ...(id === undefined ? {} : { replaces: id }),
      }
      return placeOrder(client, terms, store.order(order), { ...showing, dns }, signal)
    })

  const rehearse = async (
    wanted: Wanted,
    showing: ProxyShowing,
    signal: AbortSignal,
  ): Promise<void> => {
    const { rehearsal, profile: _, ...terms } = settings
    if (rehearsal === undefined || wanted.attempts < REHEARSED_AFTER) return
    const order = `${wanted.order}/rehearsal`
    await orderAt(
      { ...terms, directory: rehearsal },
      { ...wanted, order, replaces: undefined },
      showing,
      signal,
    )
    await store.order(order).remove()
  }

  return {
    order: async (wanted, showing, signal) => {
      if ((await store.order(wanted.order).load()) === undefined) {
        await rehearse(wanted, showing, signal)
        await takePlace(store, wanted.order)
      }
      return orderAt(settings, wanted, showing, signal)
    },
    revoke: (chain, reason, signal) =>
      act(settings, signal, async (client) => {
        try {
          await client.revokeCertificate(chain, { reason })
        } catch (error) {
          if (!(error instanceof AcmeRefusal && error.type === 'alreadyRevoked')) throw error
        }
      }),
    advise: async (chain, signal) => {
      const id = certificateIdOf(chain)
      if (id === undefined) return undefined
      await using connection: AcmeConnection = openConnection(settings.trusted)
      const { renewalInfo } = await readDirectory(settings, connection, signal)
      if (renewalInfo === undefined) return undefined
      return await askForRenewal(connection, renewalInfo, id, Math.random(), signal)
    },
  }
}

/** Throws `AcmeFailure` when the fleet has placed as many orders as it may for now. */
const takePlace = async (store: AcmeStore, order: string): Promise<void> => {
  const nowMs = Date.now()
  const hour = Math.floor(nowMs / HOUR_MS)
  const place = await store.takePlace(order, hour, ORDERS_PER_HOUR_MAX)
  if (place <= hour) return
  const startMs = Math.round((place + Math.random()) * HOUR_MS)
  throw new AcmeFailure(
    `the fleet has placed its ${ORDERS_PER_HOUR_MAX} orders of this hour, and this one has its place at ${new Date(startMs).toISOString()}`,
    { retryAfterMs: startMs - nowMs },
  )
}

const inTurns = <Value>(values: readonly Value[], turn: number): readonly Value[] => {
  const first = turn % values.length
  return [...values.slice(first), ...values.slice(0, first)]
}
