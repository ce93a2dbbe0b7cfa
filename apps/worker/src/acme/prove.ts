/**
 * The part of an order in which the names are proven: show what the CA wants to see, tell it to look only
 * when it can be seen everywhere, and wait for its verdict.
 */
import type acme from 'acme-client'
import type { Authorization } from 'acme-client'
import {
  chooseChallenge,
  type ChallengeChoice,
  type ChosenChallenge,
  type Proof,
} from './challenge.ts'
import type { DnsHook } from './dns-hook.ts'
import { poll } from './polling.ts'
import { AcmeFailure, describeProblem } from './problem.ts'

export type ProxyProof = Exclude<Proof, { kind: 'dns-01' }>
type DnsProof = Extract<Proof, { kind: 'dns-01' }>

/** Who shows the CA what it wants to see. */
export interface Showing {
  /**
   * Resolves when every live proxy shows all of them, whichever the CA comes to. Throws `AcmeFailure` when
   * that cannot be.
   */
  readonly publish: (proofs: readonly ProxyProof[]) => Promise<void>
  /** The CA is convinced. When it is not, the end of the attempt takes down what was published. */
  readonly withdraw: () => Promise<void>
  readonly dns: DnsHook | undefined
}

const VERDICT_MS_MAX = 120_000

/** Throws `AcmeFailure` with what the CA found when it is not convinced of every name. */
export const proveNames = async (
  client: acme.Client,
  pending: readonly Authorization[],
  choice: ChallengeChoice,
  showing: Showing,
  signal: AbortSignal,
): Promise<void> => {
  const chosen = await Promise.all(
    pending.map((authorization) => chooseChallenge(client, authorization, choice)),
  )
  const proxies = chosen.flatMap(({ proof }) => (proof.kind === 'dns-01' ? [] : [proof]))
  const records = chosen.flatMap(({ proof }) => (proof.kind === 'dns-01' ? [proof] : []))
  const shown: DnsProof[] = []
  // The first name that is refused ends the questions about the others.
  const over = new AbortController()
  const asking = AbortSignal.any([signal, over.signal])
  try {
    if (proxies.length > 0) await showing.publish(proxies)
    await presentAll(records, shown, showing.dns, signal)
    await Promise.all(chosen.map((each) => complete(client, each)))
    await Promise.all(pending.map((each) => verdict(client, each, asking)))
    if (proxies.length > 0) await showing.withdraw()
  } finally {
    over.abort()
    // A worker that leaves removes nothing: whoever goes on with the order still needs it.
    if (!signal.aborted) {
      for (const { record, value } of shown) await showing.dns?.cleanup(record, value, signal)
    }
  }
}

const presentAll = async (
  records: readonly DnsProof[],
  shown: DnsProof[],
  dns: DnsHook | undefined,
  signal: AbortSignal,
): Promise<void> => {
  if (dns === undefined || records.length === 0) return
  // One after the other: several values of one name are often one call of the same provider.
  for (const each of records) {
    await dns.present(each.record, each.value, signal)
    shown.push(each)
  }
  await dns.settled(signal)
}

const complete = async (client: acme.Client, { challenge }: ChosenChallenge): Promise<void> => {
  // One that an earlier worker has told the CA of is on its way already.
  if (challenge.status === 'pending') await client.completeChallenge(challenge)
}

const verdict = (
  client: acme.Client,
  { url, identifier }: Authorization,
  signal: AbortSignal,
): Promise<true> =>
  poll(`proving ${identifier.value}`, VERDICT_MS_MAX, signal, async () => {
    const [now] = await client.getAuthorizations(asOrder(url))
    switch (now?.status) {
      case 'valid':
        return true
      case 'pending':
        return undefined
      case 'invalid':
      case 'deactivated':
      case 'expired':
      case 'revoked':
      case undefined:
        throw new AcmeFailure(`the CA is not convinced of ${identifier.value}: ${reasonOf(now)}`)
    }
  })

/** The library asks for authorizations by the order that they belong to. */
const asOrder = (authorization: string): acme.Order => ({
  url: '',
  status: 'pending',
  identifiers: [],
  finalize: '',
  authorizations: [authorization],
})

const reasonOf = (authorization: Authorization | undefined): string => {
  if (authorization === undefined) return 'it has forgotten the authorization'
  const refused = authorization.challenges.find(({ error }) => error !== undefined)
  if (refused === undefined) return `the authorization is ${authorization.status}`
  return `${refused.type}: ${describeProblem(refused.error)}`
}
