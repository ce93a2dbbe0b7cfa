/**
 * One order, from the CA's first word to the chain. What is under way at the CA is kept outside before
 * anything depends on it, so that whoever goes on after a crash asks the CA how far the order is and
 * takes it from there: nothing is ordered twice, and no key is lost that a certificate was made for.
 */
import type { Bundle } from '@gatehouse/events'
import acme, { type Order } from 'acme-client'
import type { ChallengeChoice } from './challenge.ts'
import { poll } from './polling.ts'
import { AcmeFailure, describeProblem, isRefusedForGood } from './problem.ts'
import { proveNames, type Showing } from './prove.ts'

/** An order at the CA, and the key that its certificate is going to have. */
export interface OpenedOrder {
  readonly url: string
  /** PKCS #8, PEM. */
  readonly key: string
}

/** Where it lies, sealed, until it is over. */
export interface OrderStore {
  readonly load: () => Promise<OpenedOrder | undefined>
  readonly save: (order: OpenedOrder) => Promise<void>
  readonly remove: () => Promise<void>
}

export interface OrderTerms {
  readonly names: readonly string[]
  readonly profile?: string
  /** The certificate that this one takes the place of, as RFC 9773 §5 calls it. */
  readonly replaces?: string
  readonly choice: ChallengeChoice
}

const ISSUE_MS_MAX = 120_000

/**
 * Has to run inside of a connection. Throws `AcmeFailure` when there is no certificate; the order is over
 * then, unless it was the CA that could not be reached.
 */
export const placeOrder = async (
  client: acme.Client,
  terms: OrderTerms,
  store: OrderStore,
  showing: Showing,
  signal: AbortSignal,
): Promise<Bundle> => {
  const { order, key } = (await resume(client, store)) ?? (await open(client, terms, store))
  const ready = await becomeReady(client, order, terms, showing, signal)
  const [, request] = await acme.crypto.createCsr({ altNames: [...terms.names] }, key)
  if (ready.status === 'ready') await client.finalizeOrder(ready, request)
  const valid = await poll('issuing the certificate', ISSUE_MS_MAX, signal, () =>
    whenIssued(client, order),
  )
  return { chain: await client.getCertificate(valid), key }
}

interface Known {
  readonly order: Order
  readonly key: string
}

/** What an earlier worker has begun, if the CA still means to fulfil it. */
const resume = async (client: acme.Client, store: OrderStore): Promise<Known | undefined> => {
  const opened = await store.load()
  if (opened === undefined) return undefined
  const order = await lookUp(client, opened.url)
  if (order !== undefined && order.status !== 'invalid') return { order, key: opened.key }
  await store.remove()
  return undefined
}

/** Undefined when the CA has forgotten it, or knows it as another account's. */
const lookUp = async (client: acme.Client, url: string): Promise<Order | undefined> => {
  try {
    return await client.getOrder(orderAt(url))
  } catch (error) {
    if (isRefusedForGood(error)) return undefined
    throw error
  }
}

const orderAt = (url: string): Order => ({
  url,
  status: 'pending',
  identifiers: [],
  authorizations: [],
  finalize: '',
})

const open = async (client: acme.Client, terms: OrderTerms, store: OrderStore): Promise<Known> => {
  const key = (await acme.crypto.createPrivateEcdsaKey('P-256')).toString()
  const order = await createOrder(client, terms)
  await store.save({ url: order.url, key })
  return { order, key }
}

const createOrder = async (
  client: acme.Client,
  { names, profile, replaces }: OrderTerms,
): Promise<Order> => {
  const wanted = {
    identifiers: names.map((value) => ({ type: 'dns', value })),
    ...(profile === undefined ? {} : { profile }),
  }
  if (replaces === undefined) return client.createOrder(wanted)
  try {
    const renewing = { ...wanted, replaces }
    return await client.createOrder(renewing)
  } catch (error) {
    // RFC 9773 §5: another order has said that it replaces the same certificate, or the CA forgot it.
    if (isRefusedForGood(error)) return client.createOrder(wanted)
    throw error
  }
}

const becomeReady = async (
  client: acme.Client,
  order: Order,
  { choice }: OrderTerms,
  showing: Showing,
  signal: AbortSignal,
): Promise<Order> => {
  if (order.status !== 'pending') return order
  const authorizations = await client.getAuthorizations(order)
  const pending = authorizations.filter(({ status }) => status === 'pending')
  if (pending.length > 0) await proveNames(client, pending, choice, showing, signal)
  return poll('accepting the proofs', ISSUE_MS_MAX, signal, async () => {
    const now = await client.getOrder(order)
    refuseInvalid(now)
    return now.status === 'pending' ? undefined : now
  })
}

const whenIssued = async (client: acme.Client, order: Order): Promise<Order | undefined> => {
  const now = await client.getOrder(order)
  refuseInvalid(now)
  return now.status === 'valid' ? now : undefined
}

const refuseInvalid = (order: Order): void => {
  if (order.status !== 'invalid') return
  throw new AcmeFailure(`the CA gave the order up: ${describeProblem(order.error)}`)
}
