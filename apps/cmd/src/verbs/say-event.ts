/** One entry of the log in words, as `history`, `watch` and conflicts show it. Pure. */
import {
  certificateOf,
  type DrainOutcome,
  type Failure,
  type GatewayEvent,
  type Release,
} from '@gatehouse/domain'
import type { Recorded } from '@gatehouse/events'
import { plain } from '../output/output.ts'
import { sayDuration } from '../spec/duration.ts'
import { sayCertificateEvent } from './say-certificate.ts'
import { isoTime, sayTime } from './say-time.ts'

export interface SaidEvent {
  readonly position: number
  readonly time: string
  readonly event: string
  readonly service: string | undefined
  readonly certificate: string | undefined
  readonly release: string | undefined
  readonly actor: string | undefined
  readonly reason: string | undefined
  /** What the event's name alone does not say. */
  readonly details: string
}

export const sayEvent = (recorded: Recorded): SaidEvent => {
  const { position } = recorded
  const time = isoTime(recorded.at)
  if (recorded.kind === 'quarantined') {
    const { type, why } = recorded
    const nobody = {
      service: undefined,
      certificate: undefined,
      release: undefined,
      actor: undefined,
      reason: undefined,
    }
    return { position, time, event: type, ...nobody, details: `quarantined: ${why}` }
  }
  const { event, meta } = recorded
  return {
    position,
    time,
    event: event.type,
    service: 'service' in event ? event.service : undefined,
    certificate: certificateOf(event),
    release: releaseIn(event),
    actor: meta.actor,
    reason: meta.reason,
    details: detailsOf(event),
  }
}

/** `#12 2026-05-01 09:30:15.123Z ReleaseActivated shop blue by alice: hotfix` */
export const eventLine = (recorded: Recorded): string => {
  const said = sayEvent(recorded)
  const parts = [
    `#${said.position}`,
    sayTime(recorded.at),
    said.event,
    said.service ?? said.certificate,
    said.release,
    said.details === '' ? undefined : `(${said.details})`,
    said.actor === undefined ? undefined : `by ${said.actor}`,
  ]
  const line = parts.filter((part) => part !== undefined).join(' ')
  return plain(said.reason === undefined ? line : `${line}: ${said.reason}`)
}

export const sayFailure = (failure: Failure): string => {
  switch (failure.kind) {
    case 'unhealthy': {
      const tries = `${failure.attempts} ${failure.attempts === 1 ? 'attempt' : 'attempts'}`
      return `${failure.reason} (${tries} in ${sayDuration(failure.tookMs)})`
    }
    case 'host-taken':
      return `host ${failure.host} belongs to service ${failure.owner}`
    case 'superseded':
      return 'a newer command took its place'
  }
}

export const sayOutcome = (outcome: DrainOutcome): string => {
  switch (outcome.kind) {
    case 'drained':
      return `drained${unreachable(outcome.unreachable)}`
    case 'timed-out':
      return `timed out, ${outcome.cut} cut${unreachable(outcome.unreachable)}`
    case 'cancelled':
      return 'called off'
  }
}

const unreachable = (names: readonly string[]): string =>
  names.length === 0 ? '' : `, without word from ${names.join(', ')}`

/** It must not go unseen that somebody else may answer in a target's place. */
export const sayUnverified = ({ tls }: Release): string =>
  tls?.verify === false ? ', certificates NOT verified' : ''

const releaseIn = (event: GatewayEvent): string | undefined => {
  if (event.type === 'ReleaseDeclared') return event.release.id
  return 'release' in event ? event.release : undefined
}

const detailsOf = (event: GatewayEvent): string => {
  if ('certificate' in event) return sayCertificateEvent(event)
  switch (event.type) {
    case 'ReleaseDeclared':
      return `${event.release.targets.map(({ url }) => url).join(', ')}${sayUnverified(event.release)}`
    case 'ReleasePassed':
      return event.attempts === 0 ? 'unchecked' : `healthy after ${sayDuration(event.tookMs)}`
    case 'ReleaseFailed':
      return sayFailure(event.failure)
    case 'ReleaseActivated':
      return event.takenOver
        .map(({ service, hosts }) => `took ${hosts.join(', ')} over from ${service}`)
        .join('; ')
    case 'DrainStarted':
      return event.drainMs === 'infinity' ? 'until idle' : `within ${sayDuration(event.drainMs)}`
    case 'DrainEnded':
      return sayOutcome(event.outcome)
    case 'TargetEjected':
      return `${event.target}: ${event.reason}`
    case 'TargetRestored':
      return event.target
    case 'ServicePaused':
      return `requests wait up to ${sayDuration(event.holdMs)}`
    case 'ServiceStopped':
      return event.message
    case 'SwitchRequested':
    case 'ReleaseSuperseded':
    case 'ServiceResumed':
    case 'ServiceRemoved':
      return ''
  }
}
