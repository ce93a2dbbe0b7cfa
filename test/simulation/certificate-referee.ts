/** The referee's account of certificates, from facts alone: which order is open, and what was issued. */
import { type CertificateEvent } from '@gatehouse/domain'

export interface CertificateReferee {
  /** Throws when the event cannot follow the ones before it. */
  readonly watch: (event: CertificateEvent) => void
}

interface Account {
  /** The order that is open. */
  order: number | undefined
  highest: number
  challenged: boolean
  current: string | undefined
  readonly revoked: Set<string>
}

export const createCertificateReferee = (): CertificateReferee => {
  const accounts = new Map<string, Account>()
  const accountOf = (name: string): Account => {
    const known = accounts.get(name)
    if (known !== undefined) return known
    const account: Account = {
      order: undefined,
      highest: 0,
      challenged: false,
      current: undefined,
      revoked: new Set(),
    }
    accounts.set(name, account)
    return account
  }
  return {
    watch: (event) => {
      const account = accountOf(event.certificate)
      switch (event.type) {
        case 'CertificateRequested':
          // Seen to fail by an order that takes the generation of the release it is for.
          must(event.generation > account.highest, event, 'reuses a generation')
          account.highest = event.generation
          account.order = event.generation
          account.challenged = false
          return
        case 'ChallengePublished':
          must(account.order === event.generation, event, 'is of an order that is not open')
          account.challenged = true
          return
        case 'ChallengesWithdrawn':
          must(account.order === event.generation, event, 'is of an order that is not open')
          // Seen to fail by a `decide` that withdraws what nobody has published.
          must(account.challenged, event, 'withdraws nothing')
          account.challenged = false
          return
        case 'CertificateIssued':
          // Seen to fail by a `decide` that takes the report of an order that another replaced.
          must(account.order === event.generation, event, 'is of an order that is not open')
          account.order = undefined
          account.current = event.fingerprint
          return
        case 'CertificateImported':
          account.order = undefined
          account.current = event.fingerprint
          return
        case 'CertificateFailed':
          must(account.order === event.generation, event, 'is of an order that is not open')
          account.challenged = false
          if (event.retryAt === undefined) account.order = undefined
          return
        case 'CertificateRevoked':
          must(account.current === event.fingerprint, event, 'revokes what does not serve')
          account.revoked.add(event.fingerprint)
          return
        case 'RevocationEnded':
          must(account.revoked.has(event.fingerprint), event, 'was not asked for')
          return
        case 'CertificateRemoved':
          must(account.highest > 0 || account.current !== undefined, event, 'removes nothing')
          // Its number stays, for a report may still be under way.
          account.order = undefined
          account.challenged = false
          account.current = undefined
          account.revoked.clear()
          return
      }
    },
  }
}

const must = (holds: boolean, event: CertificateEvent, complaint: string): void => {
  if (!holds) throw new Error(`${event.type} of ${event.certificate} ${complaint}.`)
}
