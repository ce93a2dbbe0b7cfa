/**
 * How a name is proven to the CA: which of the ways it offers is taken, and what has to be shown for it.
 * A wildcard can be proven by DNS alone (RFC 8555 §7.1.3); other names as the settings say.
 */
import acme, { type Authorization } from 'acme-client'
import { AcmeFailure } from './problem.ts'
import type { ChallengeKind } from './settings.ts'

/** What proxies have to show, or a name server. */
export type Proof =
  | {
      readonly kind: 'http-01'
      readonly host: string
      readonly token: string
      readonly keyAuthorization: string
    }
  /** PEM: what `acme-tls/1` is answered with. */
  | {
      readonly kind: 'tls-alpn-01'
      readonly host: string
      readonly chain: string
      readonly key: string
    }
  | { readonly kind: 'dns-01'; readonly record: string; readonly value: string }

export type Challenge = Authorization['challenges'][number]

export interface ChosenChallenge {
  readonly challenge: Challenge
  readonly proof: Proof
}

/** What may be chosen. */
export interface ChallengeChoice {
  /** For names without a wildcard, the preferred one first. */
  readonly kinds: readonly ChallengeKind[]
  /** Whether TXT records can be made. */
  readonly dns: boolean
}

/** Throws `AcmeFailure` with what is missing. */
export const chooseChallenge = async (
  client: acme.Client,
  authorization: Authorization,
  choice: ChallengeChoice,
): Promise<ChosenChallenge> => {
  const kinds = kindsFor(authorization, choice)
  for (const kind of kinds) {
    const challenge = authorization.challenges.find((each) => typeOf(each) === kind)
    if (challenge !== undefined) {
      return { challenge, proof: await proofFor(client, authorization, challenge, kind) }
    }
  }
  const offered = authorization.challenges.map(({ type }) => type).join(', ')
  throw new AcmeFailure(
    `the CA lets ${authorization.identifier.value} be proven by ${offered} alone, and ${kinds.join(', ')} is set up (GATEHOUSE_ACME_CHALLENGES)`,
  )
}

/** The library's types know of two; CAs know of more. */
const typeOf = ({ type }: { readonly type: string }): string => type

const kindsFor = (
  { identifier, wildcard }: Authorization,
  { kinds, dns }: ChallengeChoice,
): readonly ChallengeKind[] => {
  if (wildcard !== true) return kinds
  if (dns) return ['dns-01']
  throw new AcmeFailure(
    `*.${identifier.value} is a wildcard, which can only be proven by DNS: set GATEHOUSE_ACME_DNS_EXEC or GATEHOUSE_ACME_DNS_RFC2136 for the workers`,
  )
}

const proofFor = async (
  client: acme.Client,
  authorization: Authorization,
  challenge: Challenge,
  kind: ChallengeKind,
): Promise<Proof> => {
  const host = authorization.identifier.value
  const said = await client.getChallengeKeyAuthorization(challenge)
  switch (kind) {
    case 'http-01':
      return { kind, host, token: challenge.token, keyAuthorization: said }
    case 'tls-alpn-01': {
      const key = await acme.crypto.createPrivateEcdsaKey('P-256')
      const [, chain] = await acme.crypto.createAlpnCertificate(authorization, said, key)
      return { kind, host, chain: chain.toString(), key: key.toString() }
    }
    case 'dns-01':
      return { kind, record: `_acme-challenge.${host}`, value: said }
  }
}
