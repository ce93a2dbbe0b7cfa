/** What reports of workers lead to. One that comes too late to matter leads to nothing. */
import { activation, drainEnded, hostConflict, losers } from './activation.ts'
import type { ReportDrain, ReportHealth, ReportTarget } from './command.ts'
import { accepted, nothing, type Decision } from './decision.ts'
import type { GatewayEvent } from './event.ts'
import { releaseOf, type Gateway } from './gateway.ts'

export const reportHealth = (report: ReportHealth, gateway: Gateway): Decision => {
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
      gateway,
    ),
  )
}

export const reportTarget = (report: ReportTarget, gateway: Gateway): Decision => {
  const service = gateway.services.get(report.service)
  const known = service === undefined ? undefined : releaseOf(service, report.revision)
  if (known === undefined || known.status !== 'active') return nothing
  const { service: name, revision, target, health } = report
  if (!known.release.targets.some((each) => each.url === target)) return nothing
  if ((health.kind === 'down') === known.ejected.includes(target)) return nothing
  const about = { service: name, release: known.release.id, revision, target }
  return health.kind === 'down'
    ? accepted({ type: 'TargetEjected', ...about, reason: health.reason })
    : accepted({ type: 'TargetRestored', ...about })
}

export const reportDrain = (report: ReportDrain, gateway: Gateway): Decision => {
  const service = gateway.services.get(report.service)
  const ended = service?.drains.find((each) => each.generation === report.generation)
  if (service === undefined || ended === undefined) return nothing
  return accepted(drainEnded(service, ended.revision, ended.generation, report.outcome))
}
