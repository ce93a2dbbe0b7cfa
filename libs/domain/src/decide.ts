/**
 * What a command leads to, given the state: the events to append, or why not. No events is a decision
 * too: there was nothing to do, or a report came too late to matter.
 */
import type { Command, Deploy, Drain, ReportHealth, Request } from './command.ts'
import type { GatewayEvent, ReleaseActivated } from './event.ts'
import {
  liveService,
  newService,
  releaseNamed,
  releaseOf,
  type Gateway,
  type KnownRelease,
  type Service,
} from './gateway.ts'
import type { HostPattern } from './host.ts'
import type { Rejection } from './rejection.ts'
import { NAME, notAName, problemOfRelease, sameRelease, type DrainMs } from './release.ts'

export type Decision =
  { readonly accepted: readonly GatewayEvent[] } | { readonly rejected: Rejection }

export const decide = (command: Command, gateway: Gateway): Decision => {
  switch (command.type) {
    case 'Deploy':
      return deploy(command, gateway)
    case 'Switch':
      return withService(command, gateway, (service) => {
        const known = releaseNamed(service, command.release)
        return known === undefined
          ? unknownRelease(service, command.release)
          : switchTo(known, service, gateway)
      })
    case 'Rollback':
      return withService(command, gateway, (service) => {
        if (command.to !== undefined) {
          const known = releaseNamed(service, command.to)
          return known === undefined
            ? unknownRelease(service, command.to)
            : switchTo(known, service, gateway)
        }
        const previous = releaseOf(service, service.previous)
        return previous === undefined
          ? rejected({ reason: 'no-previous-release', service: service.name })
          : switchTo(previous, service, gateway)
      })
    case 'Drain':
      return withService(command, gateway, (service) => drain(command, service, gateway))
    case 'Pause':
      return withService(command, gateway, ({ name, traffic }) =>
        traffic.mode === 'paused' && traffic.holdMs === command.holdMs
          ? nothing
          : accepted({ type: 'ServicePaused', service: name, holdMs: command.holdMs }),
      )
    case 'Resume':
      return withService(command, gateway, ({ name, traffic }) =>
        traffic.mode === 'running' ? nothing : accepted({ type: 'ServiceResumed', service: name }),
      )
    case 'Stop':
      return withService(command, gateway, ({ name, traffic }) =>
        traffic.mode === 'stopped' && traffic.message === command.message
          ? nothing
          : accepted({ type: 'ServiceStopped', service: name, message: command.message }),
      )
    case 'Remove':
      return withService(command, gateway, (service) => {
        const active = releaseOf(service, service.active)
        const generation = gateway.generation + 1
        return accepted(
          ...supersede(service, generation),
          ...(active === undefined ? [] : [drainStarted(service, active, generation)]),
          { type: 'ServiceRemoved', service: service.name },
        )
      })
    case 'ReportHealth':
      return reportHealth(command, gateway)
    case 'ReportTarget': {
      const service = gateway.services.get(command.service)
      const known = service === undefined ? undefined : releaseOf(service, command.revision)
      if (known === undefined || known.status !== 'active') return nothing
      const { service: name, revision, target, health } = command
      if (!known.release.targets.some((each) => each.url === target)) return nothing
      if ((health.kind === 'down') === known.ejected.includes(target)) return nothing
      const about = { service: name, release: known.release.id, revision, target }
      return health.kind === 'down'
        ? accepted({ type: 'TargetEjected', ...about, reason: health.reason })
        : accepted({ type: 'TargetRestored', ...about })
    }
    case 'ReportDrain': {
      const service = gateway.services.get(command.service)
      const ended = service?.drains.find((each) => each.generation === command.generation)
      if (service === undefined || ended === undefined) return nothing
      return accepted(drainEnded(service, ended.revision, ended.generation, command.outcome))
    }
  }
}

const deploy = (command: Deploy, gateway: Gateway): Decision => {
  if (!NAME.test(command.service)) {
    return rejected({ reason: 'invalid', field: 'service', problem: notAName(command.service) })
  }
  const existing = liveService(gateway, command.service)
  if (command.ifAbsent && existing !== undefined) return nothing
  const moved = versionMoved(command, existing)
  if (moved !== undefined) return moved
  const problem = problemOfRelease(command.release)
  if (problem !== undefined) return rejected({ reason: 'invalid', ...problem })
  const conflict = hostConflict(command.service, command.release.hosts, gateway)
  if (conflict !== undefined && !command.takeOver) return rejected(conflict)

  const service = gateway.services.get(command.service) ?? newService(command.service)
  const same = releaseNamed(service, command.release.id)
  // The same id with the same definition is the same release: deploying it again is a switch to it.
  if (
    same !== undefined &&
    !command.stage &&
    !command.takeOver &&
    same.status !== 'checking' &&
    sameRelease(same.release, command.release)
  ) {
    return switchTo(same, service, gateway)
  }

  const generation = gateway.generation + 1
  const declared: GatewayEvent = {
    type: 'ReleaseDeclared',
    service: command.service,
    release: command.release,
    generation,
    stage: command.stage,
    takeOver: command.takeOver,
  }
  const events = [...supersede(service, generation), declared]
  if (!command.release.health.skip) return accepted(...events)
  const passed = passedUnchecked(command.service, command.release.id, generation, generation)
  if (command.stage) return accepted(...events, passed)
  return accepted(
    ...events,
    passed,
    ...activation(
      service,
      {
        revision: generation,
        release: command.release,
        status: 'ready',
        ejected: [],
        drained: undefined,
      },
      generation,
      command.takeOver ? losers(command.service, command.release.hosts, gateway) : [],
    ),
  )
}

const switchTo = (known: KnownRelease, service: Service, gateway: Gateway): Decision => {
  const { revision, release } = known
  const { candidate } = service
  const generation = gateway.generation + 1
  if (service.active === revision && release.hosts.every((host) => service.hosts.includes(host))) {
    // Back to what serves already: a newer candidate is given up, and nothing else changes.
    return accepted(...supersede(service, generation))
  }
  if (candidate?.revision === revision && !candidate.stage) return nothing
  const conflict = hostConflict(service.name, release.hosts, gateway)
  if (conflict !== undefined) return rejected(conflict)
  const requested: GatewayEvent = {
    type: 'SwitchRequested',
    service: service.name,
    release: release.id,
    revision,
    generation,
  }
  const events = [...supersede(service, generation), requested]
  if (!release.health.skip) return accepted(...events)
  return accepted(
    ...events,
    passedUnchecked(service.name, release.id, revision, generation),
    ...activation(service, known, generation, []),
  )
}

const drain = (command: Drain, service: Service, gateway: Gateway): Decision => {
  const known =
    command.release === undefined
      ? releaseOf(service, service.active)
      : servingNamed(service, command.release)
  if (known === undefined) {
    return command.release === undefined
      ? rejected({ reason: 'nothing-to-drain', service: service.name })
      : unknownRelease(service, command.release)
  }
  if (known.status !== 'active' && known.status !== 'draining') {
    return rejected({
      reason: 'nothing-to-drain',
      service: service.name,
      release: known.release.id,
    })
  }
  const running = service.drains.find((each) => each.revision === known.revision)
  const drainMs = command.drainMs ?? running?.drainMs ?? known.release.drainMs
  if (running?.drainMs === drainMs) return nothing
  return accepted(drainStarted(service, known, gateway.generation + 1, drainMs))
}

/** Of several releases with the id, the one that has work to drain; otherwise the newest. */
const servingNamed = (service: Service, id: string): KnownRelease | undefined =>
  service.releases.findLast(
    ({ release, status }) => release.id === id && (status === 'active' || status === 'draining'),
  ) ?? releaseNamed(service, id)

const reportHealth = (report: ReportHealth, gateway: Gateway): Decision => {
  const service = gateway.services.get(report.service)
  const candidate = service?.candidate
  // A late report about a superseded candidate changes nothing.
  if (service === undefined || candidate?.generation !== report.generation) return nothing
  const known = releaseOf(service, candidate.revision)
  if (known === undefined) return nothing
  const { release, revision } = known
  const about = {
    service: service.name,
    release: release.id,
    revision,
    generation: candidate.generation,
  }
  if (report.outcome.kind === 'failed') {
    const { kind: _, ...failed } = report.outcome
    return accepted({
      type: 'ReleaseFailed',
      ...about,
      failure: { kind: 'unhealthy', ...failed },
    })
  }
  const { attempts, tookMs, failing } = report.outcome
  const passed: GatewayEvent = { type: 'ReleasePassed', ...about, attempts, tookMs, failing }
  if (candidate.stage) return accepted(passed)
  const conflict = hostConflict(service.name, release.hosts, gateway)
  if (conflict !== undefined && !candidate.takeOver) {
    const { host, owner } = conflict
    return accepted(passed, {
      type: 'ReleaseFailed',
      ...about,
      failure: { kind: 'host-taken', host, owner },
    })
  }
  return accepted(
    passed,
    ...activation(
      service,
      known,
      candidate.generation,
      candidate.takeOver ? losers(service.name, release.hosts, gateway) : [],
    ),
  )
}

/** The switch itself: a drain of the new active one is called off, the old active one starts to drain. */
const activation = (
  service: Service,
  next: KnownRelease,
  generation: number,
  takenOver: ReleaseActivated['takenOver'],
): readonly GatewayEvent[] => {
  const drainOfNext = service.drains.find((each) => each.revision === next.revision)
  const before = service.active === next.revision ? undefined : releaseOf(service, service.active)
  return [
    ...(drainOfNext === undefined
      ? []
      : [drainEnded(service, next.revision, drainOfNext.generation, { kind: 'cancelled' })]),
    {
      type: 'ReleaseActivated',
      service: service.name,
      release: next.release.id,
      revision: next.revision,
      generation,
      takenOver,
    },
    ...(before === undefined ? [] : [drainStarted(service, before, generation)]),
  ]
}

const supersede = (service: Service, by: number): readonly GatewayEvent[] => {
  const { candidate } = service
  const known = releaseOf(service, candidate?.revision)
  if (candidate === undefined || known === undefined) return []
  return [
    {
      type: 'ReleaseSuperseded',
      service: service.name,
      release: known.release.id,
      revision: candidate.revision,
      generation: candidate.generation,
      by,
    },
  ]
}

const drainStarted = (
  service: Service,
  known: KnownRelease,
  generation: number,
  drainMs: DrainMs = known.release.drainMs,
): GatewayEvent => ({
  type: 'DrainStarted',
  service: service.name,
  release: known.release.id,
  revision: known.revision,
  generation,
  drainMs,
})

const drainEnded = (
  service: Service,
  revision: number,
  generation: number,
  outcome: Extract<GatewayEvent, { type: 'DrainEnded' }>['outcome'],
): GatewayEvent => ({
  type: 'DrainEnded',
  service: service.name,
  release: releaseOf(service, revision)?.release.id ?? '',
  revision,
  generation,
  outcome,
})

const passedUnchecked = (
  service: string,
  release: string,
  revision: number,
  generation: number,
): GatewayEvent => ({
  type: 'ReleasePassed',
  service,
  release,
  revision,
  generation,
  attempts: 0,
  tookMs: 0,
  failing: [],
})

const hostConflict = (
  service: string,
  hosts: readonly HostPattern[],
  gateway: Gateway,
): Extract<Rejection, { reason: 'host-taken' }> | undefined => {
  for (const host of hosts) {
    const owner = gateway.owners.get(host)
    if (owner !== undefined && owner !== service) return { reason: 'host-taken', host, owner }
  }
  return undefined
}

/** Services that route any of the hosts now, with the hosts that they lose. */
const losers = (
  service: string,
  hosts: readonly HostPattern[],
  gateway: Gateway,
): ReleaseActivated['takenOver'] => {
  const lost = new Map<string, HostPattern[]>()
  for (const host of hosts) {
    const owner = gateway.owners.get(host)
    if (owner !== undefined && owner !== service)
      lost.set(owner, [...(lost.get(owner) ?? []), host])
  }
  return [...lost].map(([loser, lostHosts]) => ({ service: loser, hosts: lostHosts }))
}

const withService = (
  command: Exclude<Request, Deploy>,
  gateway: Gateway,
  then: (service: Service) => Decision,
): Decision => {
  const service = liveService(gateway, command.service)
  if (service === undefined) {
    return rejected({ reason: 'unknown-service', service: command.service })
  }
  return versionMoved(command, service) ?? then(service)
}

const versionMoved = (command: Request, service: Service | undefined): Decision | undefined => {
  const actual = service?.version ?? 0
  return command.expectVersion === undefined || command.expectVersion === actual
    ? undefined
    : rejected({
        reason: 'version-moved',
        service: command.service,
        expected: command.expectVersion,
        actual,
      })
}

const unknownRelease = (service: Service, release: string): Decision =>
  rejected({
    reason: 'unknown-release',
    service: service.name,
    release,
    known: [...new Set(service.releases.map((known) => known.release.id))],
  })

const nothing: Decision = { accepted: [] }
const accepted = (...events: readonly GatewayEvent[]): Decision => ({ accepted: events })
const rejected = (rejection: Rejection): Decision => ({ rejected: rejection })
