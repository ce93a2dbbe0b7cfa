/** Deploying a release, and switching to one that is known: what is declared, checked, or active at once. */
import { importBundle } from './certificate-decide.ts'
import { activation, hostConflict, losers, passedUnchecked, supersede } from './activation.ts'
import type { Deploy } from './command.ts'
import { accepted, nothing, rejected, versionMoved, type Decision } from './decision.ts'
import type { GatewayEvent } from './event.ts'
import {
  liveService,
  newService,
  releaseNamed,
  type Gateway,
  type KnownRelease,
  type Service,
} from './gateway.ts'
import { problemOfManual } from './ingress.ts'
import { NAME, notAName, problemOfRelease, sameRelease } from './release.ts'

export const deploy = (command: Deploy, gateway: Gateway): Decision => {
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

  const lacking = problemOfBundle(command, gateway)
  if (lacking !== undefined) return rejected({ reason: 'invalid', ...lacking })

  const bringing = bring(command, gateway)
  if ('rejected' in bringing) return bringing
  const brought = bringing.accepted
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
    const switched = switchTo(same, service, gateway)
    return 'accepted' in switched ? accepted(...switched.accepted, ...brought) : switched
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
  if (!command.release.health.skip) return accepted(...events, ...brought)
  const passed = passedUnchecked(command.service, command.release.id, generation, generation)
  if (command.stage) return accepted(...events, passed, ...brought)
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
      gateway,
    ),
    ...brought,
  )
}

/** A service that brings its own certificate needs one for all of its hosts, now or before. */
const problemOfBundle = (
  { service, release: { ingress, hosts }, bundle }: Deploy,
  gateway: Gateway,
): { readonly field: string; readonly problem: string } | undefined => {
  if (bundle !== undefined && ingress?.tls !== 'manual') {
    return { field: 'tls', problem: 'brings a certificate, and is not manual' }
  }
  if (ingress?.tls !== 'manual') return undefined
  const current = gateway.certificates.get(service)?.current
  return problemOfManual(hosts, bundle ?? (current?.revoked === undefined ? current : undefined))
}

const bring = ({ service, bundle }: Deploy, gateway: Gateway): Decision =>
  bundle === undefined
    ? nothing
    : importBundle({ type: 'ImportCertificate', certificate: service, ...bundle }, gateway)

/** Makes a known release of the service active, once it has been checked again. */
export const switchTo = (known: KnownRelease, service: Service, gateway: Gateway): Decision => {
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
    ...activation(service, known, generation, [], gateway),
  )
}
