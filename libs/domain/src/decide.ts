/**
 * What a command leads to, given the state: the events to append, or why not. No events is a decision
 * too: there was nothing to do, or a report came too late to matter.
 */
import { drainStarted, supersede } from './activation.ts'
import { decideCertificate } from './certificate-decide.ts'
import { ordersAtRemoval } from './certificate-need.ts'
import type { Command, Deploy, Drain, Request, Rollback } from './command.ts'
import {
  accepted,
  nothing,
  rejected,
  unknownRelease,
  versionMoved,
  type Decision,
} from './decision.ts'
import { deploy, switchTo } from './deploy.ts'
import {
  liveService,
  releaseNamed,
  releaseOf,
  type Gateway,
  type KnownRelease,
  type Service,
} from './gateway.ts'
import { reportDrain, reportHealth, reportTarget } from './report.ts'

export const decide = (command: Command, gateway: Gateway): Decision => {
  switch (command.type) {
    case 'Deploy':
      return deploy(command, gateway)
    case 'Switch':
      return withService(command, gateway, (service) =>
        switchToNamed(command.release, service, gateway),
      )
    case 'Rollback':
      return withService(command, gateway, (service) => rollback(command, service, gateway))
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
      return withService(command, gateway, (service) => remove(service, gateway))
    case 'ReportHealth':
      return reportHealth(command, gateway)
    case 'ReportTarget':
      return reportTarget(command, gateway)
    case 'ReportDrain':
      return reportDrain(command, gateway)
    case 'RequestCertificate':
    case 'ImportCertificate':
    case 'RevokeCertificate':
    case 'RemoveCertificate':
    case 'ReportChallenge':
    case 'ReportCertificate':
    case 'ReportRevocation':
      return decideCertificate(command, gateway)
  }
}

/** Every command but a deploy needs a service that is there, at the version it expects. */
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

const switchToNamed = (id: string, service: Service, gateway: Gateway): Decision => {
  const known = releaseNamed(service, id)
  return known === undefined ? unknownRelease(service, id) : switchTo(known, service, gateway)
}

const rollback = (command: Rollback, service: Service, gateway: Gateway): Decision => {
  if (command.to !== undefined) return switchToNamed(command.to, service, gateway)
  const previous = releaseOf(service, service.previous)
  return previous === undefined
    ? rejected({ reason: 'no-previous-release', service: service.name })
    : switchTo(previous, service, gateway)
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

const remove = (service: Service, gateway: Gateway): Decision => {
  const active = releaseOf(service, service.active)
  const generation = gateway.generation + 1
  return accepted(
    ...supersede(service, generation),
    ...(active === undefined ? [] : [drainStarted(service, active, generation)]),
    { type: 'ServiceRemoved', service: service.name },
    ...ordersAtRemoval(service.name, gateway),
  )
}
