/**
 * A second opinion on the log, from its facts alone. The referee shares no code with `evolve`: it keeps
 * the little that is needed to say whether an event may follow those before it, and who routes what.
 */
import { type GatewayEvent, type HostPattern, type ServiceEvent } from '@gatehouse/domain'
import { createCertificateReferee } from './certificate-referee.ts'

export interface Referee {
  /** Throws when the event cannot follow the ones before it. */
  readonly watch: (event: GatewayEvent) => void
  /** Who routes a host, by the referee's own count. */
  readonly routed: ReadonlyMap<HostPattern, string>
}

interface Account {
  readonly hostsOf: Map<number, readonly HostPattern[]>
  highest: number
  attempt:
    { readonly generation: number; readonly revision: number; readonly stage: boolean } | undefined
  active: number | undefined
  /** Generation by revision. */
  readonly drains: Map<number, number>
  /** The release that another has just replaced: its drain has to be the next event. */
  replaced: number | undefined
}

export const createReferee = (): Referee => {
  const accounts = new Map<string, Account>()
  const routed = new Map<HostPattern, string>()
  const certificates = createCertificateReferee()

  const accountOf = (name: string): Account => {
    const known = accounts.get(name)
    if (known !== undefined) return known
    const account: Account = {
      hostsOf: new Map(),
      highest: 0,
      attempt: undefined,
      active: undefined,
      drains: new Map(),
      replaced: undefined,
    }
    accounts.set(name, account)
    return account
  }

  const unroute = (service: string): void => {
    for (const [host, owner] of routed) if (owner === service) routed.delete(host)
  }

  const activate = (
    event: Extract<GatewayEvent, { type: 'ReleaseActivated' }>,
    account: Account,
  ): void => {
    // Seen to fail by an activation that carries the generation of another attempt.
    must(account.attempt?.generation === event.generation, event, 'activates what nobody waits for')
    must(account.attempt?.revision === event.revision, event, 'activates another release')
    // Seen to fail by an activation that does not call off the drain of what it activates.
    must(!account.drains.has(event.revision), event, 'activates a release that drains')
    unroute(event.service)
    for (const { service, hosts } of event.takenOver) {
      for (const host of hosts) if (routed.get(host) === service) routed.delete(host)
    }
    for (const host of account.hostsOf.get(event.revision) ?? []) {
      // Seen to fail by a `decide` that finds no host conflict.
      must(!routed.has(host), event, `takes ${host}, which ${routed.get(host) ?? ''} routes`)
      routed.set(host, event.service)
    }
    account.replaced = account.active === event.revision ? undefined : account.active
    account.active = event.revision
    account.attempt = undefined
  }

  return {
    routed,
    watch: (event) => {
      if ('certificate' in event) return certificates.watch(event)
      const account = accountOf(event.service)
      if ('revision' in event) {
        // Seen to fail by a `SwitchRequested` with a revision that was never declared.
        must(account.hostsOf.has(event.revision), event, 'is about an unknown revision')
      }
      if (account.replaced !== undefined) {
        // Seen to fail by an activation that forgot the drain of the release before.
        const drains = event.type === 'DrainStarted' && event.revision === account.replaced
        must(drains, event, 'comes where the release that was replaced should drain')
        account.replaced = undefined
      }
      switch (event.type) {
        case 'ReleaseDeclared':
          // Seen to fail by a deploy that supersedes nothing.
          must(account.attempt === undefined, event, 'leaves an earlier attempt open')
          // Seen to fail by an `evolve` that does not count generations up.
          must(event.generation > account.highest, event, 'reuses a generation')
          account.highest = event.generation
          account.hostsOf.set(event.generation, event.release.hosts)
          account.attempt = {
            generation: event.generation,
            revision: event.generation,
            stage: event.stage,
          }
          return
        case 'SwitchRequested':
          must(account.attempt === undefined, event, 'leaves an earlier attempt open')
          must(event.generation > account.highest, event, 'reuses a generation')
          account.highest = event.generation
          account.attempt = { generation: event.generation, revision: event.revision, stage: false }
          return
        case 'ReleasePassed':
          must(account.attempt?.generation === event.generation, event, 'comes too late')
          if (account.attempt?.stage === true) account.attempt = undefined
          return
        case 'ReleaseFailed':
        case 'ReleaseSuperseded':
          must(account.attempt?.generation === event.generation, event, 'comes too late')
          account.attempt = undefined
          return
        case 'ReleaseActivated':
          return activate(event, account)
        case 'DrainStarted':
          if (account.active === event.revision) account.active = undefined
          account.highest = Math.max(account.highest, event.generation)
          account.drains.set(event.revision, event.generation)
          return
        case 'DrainEnded':
          // Seen to fail by a drain that is called off under the generation of its successor.
          must(account.drains.get(event.revision) === event.generation, event, 'ends another drain')
          account.drains.delete(event.revision)
          return
        case 'TargetEjected':
        case 'TargetRestored':
          // Seen to fail by `ReportTarget` without its check that the release is active.
          must(account.active === event.revision, event, 'is about a release that serves nothing')
          return
        case 'ServiceRemoved':
          must(account.attempt === undefined, event, 'leaves an attempt open')
          // Seen to fail by a `Remove` without its drain; the line above, by one without its superseding.
          must(account.active === undefined, event, 'leaves work that nobody drains')
          unroute(event.service)
          return
        case 'ServicePaused':
        case 'ServiceResumed':
        case 'ServiceStopped':
          return
      }
    },
  }
}

const must = (holds: boolean, event: ServiceEvent, complaint: string): void => {
  if (!holds) throw new Error(`${event.type} of ${event.service} ${complaint}.`)
}
