/** What holds after every append, whatever has happened. Each throws one sentence that says what broke. */
import {
  isCalledFor,
  nameOf,
  outstanding,
  reactions,
  RELEASES_KEPT,
  releaseOf,
  type Command,
  type Gateway,
  type GatewayEvent,
  type Service,
} from '@gatehouse/domain'
import { routeTo, type Routing } from '../../libs/domain/src/testing.ts'
import { advance, advanceTo, createFollower, restart, textOf, type Snapshot } from './follower.ts'
import { checkCertificateReport, checkCertificates } from './certificate-invariants.ts'
import { type SimulatedLog } from './log.ts'

export const checkState = (routing: Routing, routed: ReadonlyMap<string, string>): void => {
  const { gateway } = routing.table
  for (const service of gateway.services.values()) {
    checkReleases(service)
    checkDrains(service)
  }
  checkHosts(routing, routed)
  checkCertificates(gateway)
}

/** `before` is what was outstanding before the append. */
export const checkJobs = (
  before: ReadonlySet<string>,
  events: readonly GatewayEvent[],
  gateway: Gateway,
): void => {
  const after = new Set(outstanding(gateway).map(nameOf))
  const asked = events.flatMap(reactions)
  for (const name of after) {
    const known = before.has(name) || asked.some((job) => nameOf(job) === name)
    // Seen to fail by `reactions` that ask for nothing when a drain starts.
    must(known, `${name} is outstanding, and no event has asked for it`)
  }
  for (const job of asked) {
    must(
      isCalledFor(job, gateway) === after.has(nameOf(job)),
      `${nameOf(job)} is and is not wanted`,
    )
    // Seen to fail by `outstanding` without drains, and by a superseded candidate that made room for
    // itself: the oldest release was forgotten in the very append that asked for a switch to it.
    must(after.has(nameOf(job)) || isAnswered(job.type, events), `${nameOf(job)} was lost`)
  }
}

/**
 * Seen to fail by a `decide` that takes a report of any generation, or of any drain, for the present
 * one, and by one that leaves a staged release without an answer.
 *
 * What a report leads to is about the attempt that it answers, and a report that the state still waits
 * for leads to something.
 */
export const checkReport = (
  report: Command,
  events: readonly GatewayEvent[],
  gateway: Gateway,
): void => {
  switch (report.type) {
    case 'ReportHealth': {
      const { service, generation } = report
      const heard =
        events.length > 0 || !isCalledFor({ type: 'CheckRelease', service, generation }, gateway)
      must(heard, `A health report on ${service} in generation ${generation} is not heard`)
      for (const event of events) {
        if (!('generation' in event) || 'certificate' in event || event.type === 'DrainEnded') {
          continue
        }
        must(
          event.generation === generation,
          `A health report of ${generation} leads to ${event.type} of ${event.generation}`,
        )
      }
      return
    }
    case 'ReportDrain': {
      const { service, generation } = report
      const heard =
        events.length > 0 || !isCalledFor({ type: 'WatchDrain', service, generation }, gateway)
      must(heard, `A drain report on ${service} in generation ${generation} is not heard`)
      for (const event of events) {
        must(
          'generation' in event && event.generation === generation,
          `A drain report of ${generation} leads to another ${event.type}`,
        )
      }
      return
    }
    case 'ReportTarget':
      for (const event of events) {
        must(
          'revision' in event && event.revision === report.revision,
          `A target report leads to ${event.type} of another release`,
        )
      }
      return
    case 'ReportCertificate':
    case 'ReportChallenge':
    case 'ReportRevocation':
      return checkCertificateReport(report, events, gateway)
    case 'RequestCertificate':
    case 'ImportCertificate':
    case 'RevokeCertificate':
    case 'RemoveCertificate':
    case 'Deploy':
    case 'Switch':
    case 'Rollback':
    case 'Drain':
    case 'Pause':
    case 'Resume':
    case 'Stop':
    case 'Remove':
      return
  }
}

/** A check is answered within an append that skips it; a release may need no watch of its targets. */
const isAnswered = (type: string, events: readonly GatewayEvent[]): boolean =>
  type === 'WatchTargets' ||
  // A bundle that comes with a deploy ends the order that its activation called for.
  (type === 'OrderCertificate' && events.some((event) => event.type === 'CertificateImported')) ||
  (type === 'CheckRelease' && events.some((event) => event.type === 'ReleasePassed'))

/** How many events after a snapshot the whole state is compared, which costs much more than a digest. */
const TAIL_EVENTS = 8

/**
 * A snapshot and its tail lead to the state that the whole log leads to. Seen to fail by a snapshot
 * that leaves out the owners, which routes alone do not tell.
 */
export const checkSnapshot = (snapshot: Snapshot, log: SimulatedLog): void => {
  const [whole, restored] = [createFollower(), createFollower()]
  advanceTo(whole, log, snapshot.position)
  restart(restored, snapshot)
  for (let n = 0; n <= TAIL_EVENTS; n += 1) {
    const same = textOf(restored.table.gateway) === textOf(whole.table.gateway)
    must(same, `From a snapshot there is another state at position ${whole.position}`)
    if (!advance(whole, log) || !advance(restored, log)) return
  }
}

const checkReleases = (service: Service): void => {
  const { name, releases, active, previous, candidate, drains } = service
  const serving = releases.filter(({ status }) => status === 'active').map((each) => each.revision)
  const expected = active === undefined ? [] : [active]
  // Seen to fail by a `DrainStarted` that leaves the release active.
  must(String(serving) === String(expected), `${name} has ${serving.length} active releases`)
  const revisions = releases.map(({ revision }) => revision)
  must(new Set(revisions).size === revisions.length, `${name} knows a revision twice`)
  const used = [active, previous, candidate?.revision, ...drains.map(({ revision }) => revision)]
  for (const revision of used) {
    const known = revision === undefined || releaseOf(service, revision) !== undefined
    // Seen to fail by a service that forgets the release before the active one.
    must(known, `${name} refers to revision ${revision}, which it does not know`)
  }
  // Seen to fail by a release that was drained and made active again, and stayed its own predecessor.
  must(previous === undefined || previous !== active, `${name} would roll back to what it serves`)
  // The active one, the one before, a candidate, and one that has just been superseded.
  const most = RELEASES_KEPT + 4 + drains.length
  // Seen to fail by a service that forgets nothing.
  must(releases.length <= most, `${name} keeps ${releases.length} releases`)
  // Seen to fail by a removed service that was switched back to a release that still drained.
  must(!service.removed || (active ?? candidate) === undefined, `${name} is removed and at work`)
}

const checkDrains = ({ name, releases, drains }: Service): void => {
  const draining = releases.filter(({ status }) => status === 'draining').map((r) => r.revision)
  const revisions = drains.map(({ revision }) => revision)
  const same = String(draining) === String(revisions.toSorted((a, b) => a - b))
  // Seen to fail by a second drain that does not replace the first, and by one that never leaves.
  must(same, `${name} has releases ${String(draining)} draining and drains ${String(revisions)}`)
  const generations = new Set(drains.map(({ generation }) => generation))
  // Seen to fail by a deploy that does not take the next generation.
  must(generations.size === drains.length, `${name} has two drains in one generation`)
}

const checkHosts = (routing: Routing, routed: ReadonlyMap<string, string>): void => {
  const { gateway } = routing.table
  const owned = new Map<string, string>()
  for (const service of gateway.services.values()) {
    for (const host of service.hosts) {
      // These were seen to fail by a loser of a take-over that keeps its hosts.
      must(!owned.has(host), `${host} is routed by ${owned.get(host)} and ${service.name}`)
      owned.set(host, service.name)
      must(gateway.owners.get(host) === service.name, `${host} is owned by another than its router`)
      must(routed.get(host) === service.name, `${host} should be routed by ${routed.get(host)}`)
      const route = routeTo(routing, host === 'default' ? undefined : asRequested(host))
      must(route?.service === service.name, `${host} does not lead to ${service.name}`)
      // Seen to fail by a `project` that does not refresh the service whose release starts to drain.
      must(route?.active?.revision === service.active, `${host} leads to an old release`)
    }
  }
  must(owned.size === routed.size, `${routed.size} hosts should be routed, and ${owned.size} are`)
  for (const [host, owner] of gateway.owners) {
    const service = gateway.services.get(owner)
    const candidate = service && releaseOf(service, service.candidate?.revision)
    const wanted = owned.get(host) === owner || candidate?.release.hosts.includes(host)
    // Seen to fail by owners that are never freed.
    must(wanted === true, `${host} is owned by ${owner}, which has no use for it`)
  }
}

/** A host that only the pattern itself covers, since longer names than these are in nobody's pattern. */
const asRequested = (pattern: string): string => pattern.replace('*', 'some.name')

const must = (holds: boolean, complaint: string): void => {
  if (!holds) throw new Error(`${complaint}.`)
}
