/**
 * What an event does to the state. Total: an event that does not fit leaves the state as it was; there
 * is no clock, no failure and nothing to wait for.
 */
import { evolveCertificate } from './certificate-evolve.ts'
import { servicesOf, type GatewayEvent, type ServiceEvent } from './event.ts'
import {
  newService,
  releaseOf,
  type Drain,
  type Gateway,
  type KnownRelease,
  type Service,
} from './gateway.ts'
import { isForgotten, withoutOld } from './memory.ts'
import { settleOwners, withoutForeignHosts } from './owners.ts'

/** Applies one event to the gateway, in place, and returns the same gateway. */
export const evolve = (gateway: Gateway, event: GatewayEvent): Gateway => {
  gateway.generation = Math.max(gateway.generation, generationOf(event))
  if ('certificate' in event) {
    const { certificates } = gateway
    const after = evolveCertificate(certificates.get(event.certificate), event)
    if (after === undefined) certificates.delete(event.certificate)
    else certificates.set(event.certificate, after)
    return gateway
  }
  for (const name of servicesOf(event)) {
    const before = gateway.services.get(name)
    if (before === undefined && event.type !== 'ReleaseDeclared') continue
    const known = before ?? newService(name)
    const evolved =
      name === event.service
        ? withoutForeignHosts(gateway, evolveService(known, event), event)
        : loseHosts(known, event)
    const after = { ...evolved, version: evolved.version + 1 }
    if (isForgotten(after)) {
      gateway.services.delete(name)
      settleOwners(gateway, before, undefined, event)
    } else {
      gateway.services.set(name, after)
      settleOwners(gateway, before, after, event)
    }
  }
  return gateway
}

/** A superseded candidate names the number of what took its place, which may show in no other event. */
const generationOf = (event: GatewayEvent): number => {
  if (event.type === 'ReleaseSuperseded') return Math.max(event.generation, event.by)
  return 'generation' in event ? event.generation : 0
}

const evolveService = (service: Service, event: ServiceEvent): Service => {
  switch (event.type) {
    case 'ReleaseDeclared':
      if (releaseOf(service, event.generation) !== undefined) return service
      return withoutOld({
        ...service,
        removed: false,
        releases: [
          ...service.releases,
          {
            revision: event.generation,
            release: event.release,
            status: 'checking',
            ejected: [],
            drained: undefined,
          },
        ],
        candidate: {
          revision: event.generation,
          generation: event.generation,
          stage: event.stage,
          takeOver: event.takeOver,
        },
      })
    case 'SwitchRequested':
      if (releaseOf(service, event.revision) === undefined) return service
      return withoutOld({
        ...service,
        removed: false,
        candidate: {
          revision: event.revision,
          generation: event.generation,
          stage: false,
          takeOver: false,
        },
      })
    case 'ReleasePassed':
      return withoutOld({
        ...changeRelease(service, event.revision, (known) => ({
          ...known,
          status: known.status === 'checking' || known.status === 'failed' ? 'ready' : known.status,
          ejected: event.failing,
        })),
        candidate: service.candidate?.stage === true ? answered(service, event) : service.candidate,
        failure: undefined,
      })
    case 'ReleaseFailed':
      return withoutOld({
        ...changeRelease(service, event.revision, (known) => ({
          ...known,
          status: known.status === 'checking' ? 'failed' : known.status,
        })),
        candidate: answered(service, event),
        failure: { release: event.release, failure: event.failure },
      })
    case 'ReleaseSuperseded':
      // Nothing is forgotten here: the switch that follows may be to the oldest release there is.
      return {
        ...changeRelease(service, event.revision, (known) => ({
          ...known,
          status: known.status === 'checking' ? 'failed' : known.status,
        })),
        candidate: answered(service, event),
      }
    case 'ReleaseActivated':
      return activate(service, event.revision)
    case 'DrainStarted':
      return startDrain(service, event)
    case 'DrainEnded':
      return endDrain(service, event)
    case 'TargetEjected':
      return changeRelease(service, event.revision, (known) => ({
        ...known,
        ejected: known.ejected.includes(event.target)
          ? known.ejected
          : [...known.ejected, event.target],
      }))
    case 'TargetRestored':
      return changeRelease(service, event.revision, (known) => ({
        ...known,
        ejected: known.ejected.filter((target) => target !== event.target),
      }))
    case 'ServicePaused':
      return { ...service, traffic: { mode: 'paused', holdMs: event.holdMs } }
    case 'ServiceResumed':
      return { ...service, traffic: { mode: 'running' } }
    case 'ServiceStopped':
      return { ...service, traffic: { mode: 'stopped', message: event.message } }
    case 'ServiceRemoved':
      return {
        ...newService(service.name),
        version: service.version,
        releases: service.releases.filter((known) => known.status === 'draining'),
        drains: service.drains,
        removed: true,
      }
  }
}

/** The candidate after an event that answers one: gone, unless the event is about an earlier one. */
const answered = (
  { candidate }: Service,
  event: { readonly generation: number },
): Service['candidate'] => (candidate?.generation === event.generation ? undefined : candidate)

const activate = (service: Service, revision: number): Service => {
  const known = releaseOf(service, revision)
  if (known === undefined) return service
  const unseated = service.active === revision ? undefined : service.active
  return withoutOld({
    ...service,
    // The one before stops being active here; the DrainStarted that follows says for how long it drains.
    releases: service.releases.map((each) =>
      each.revision === revision
        ? { ...each, status: 'active', drained: undefined }
        : each.status === 'active'
          ? { ...each, status: 'retired' }
          : each,
    ),
    active: revision,
    // What was drained and is made active again has nothing before it to go back to.
    previous: unseated ?? (service.previous === revision ? undefined : service.previous),
    candidate: undefined,
    drains: service.drains.filter((drain) => drain.revision !== revision),
    removed: false,
    hosts: known.release.hosts,
    failure: undefined,
  })
}

const startDrain = (
  service: Service,
  event: Extract<GatewayEvent, { type: 'DrainStarted' }>,
): Service => {
  if (releaseOf(service, event.revision) === undefined) return service
  const drain: Drain = {
    revision: event.revision,
    generation: event.generation,
    drainMs: event.drainMs,
  }
  const unseated = service.active === event.revision
  return {
    ...changeRelease(service, event.revision, (known) => ({
      ...known,
      status: 'draining',
      ejected: [],
    })),
    active: unseated ? undefined : service.active,
    previous: unseated ? event.revision : service.previous,
    // A second drain of a release replaces the first: its deadline is the one that counts.
    drains: [...service.drains.filter((each) => each.revision !== event.revision), drain],
  }
}

const endDrain = (
  service: Service,
  event: Extract<GatewayEvent, { type: 'DrainEnded' }>,
): Service => {
  const ended = service.drains.find((drain) => drain.generation === event.generation)
  if (ended === undefined) return service
  return withoutOld({
    ...changeRelease(service, ended.revision, (known) => ({
      ...known,
      status: known.status === 'draining' ? 'retired' : known.status,
      drained: event.outcome,
    })),
    drains: service.drains.filter((drain) => drain !== ended),
  })
}

const loseHosts = (service: Service, event: GatewayEvent): Service => {
  if (event.type !== 'ReleaseActivated') return service
  const lost = new Set(
    event.takenOver.flatMap((loser) => (loser.service === service.name ? loser.hosts : [])),
  )
  return { ...service, hosts: service.hosts.filter((host) => !lost.has(host)) }
}

const changeRelease = (
  service: Service,
  revision: number,
  change: (known: KnownRelease) => KnownRelease,
): Service =>
  releaseOf(service, revision) === undefined
    ? service
    : {
        ...service,
        releases: service.releases.map((known) =>
          known.revision === revision ? change(known) : known,
        ),
      }
