/**
 * Everything that can have happened, as past facts. The union is closed: `evolve`, `reactions` and the
 * codec's table each answer every member, and the compiler names whoever forgot one.
 *
 * Two numbers tie events together, both counted by the gateway and never used twice for a service:
 * a *revision* is the number under which a release was declared, and a *generation* is the number of
 * one attempt to change something (a deploy, a switch, a drain). Reports carry the generation they
 * answer, so that a late one cannot undo a newer command.
 */
import type { CertificateEvent } from './certificate-event.ts'
import type { HostPattern } from './host.ts'
import type { DrainMs, Release } from './release.ts'

export type GatewayEvent = ServiceEvent | CertificateEvent

export type ServiceEvent =
  | ReleaseDeclared
  | SwitchRequested
  | ReleasePassed
  | ReleaseFailed
  | ReleaseSuperseded
  | ReleaseActivated
  | DrainStarted
  | DrainEnded
  | TargetEjected
  | TargetRestored
  | ServicePaused
  | ServiceResumed
  | ServiceStopped
  | ServiceRemoved

/** A new release is to be checked and, unless it is only staged, made active. */
export interface ReleaseDeclared {
  readonly type: 'ReleaseDeclared'
  readonly service: string
  readonly release: Release
  /** Its revision, and the generation of this deploy. */
  readonly generation: number
  readonly stage: boolean
  /** Hosts that other services own move here when the release becomes active. */
  readonly takeOver: boolean
}

/** A known release is to be checked again and made active. */
export interface SwitchRequested {
  readonly type: 'SwitchRequested'
  readonly service: string
  readonly release: string
  readonly revision: number
  readonly generation: number
}

export interface ReleasePassed {
  readonly type: 'ReleasePassed'
  readonly service: string
  readonly release: string
  readonly revision: number
  readonly generation: number
  readonly attempts: number
  readonly tookMs: number
  /** Targets that failed where one healthy target is enough; they start ejected. */
  readonly failing: readonly string[]
}

export interface ReleaseFailed {
  readonly type: 'ReleaseFailed'
  readonly service: string
  readonly release: string
  readonly revision: number
  readonly generation: number
  readonly failure: Failure
}

/** A newer deploy or switch of the service took the candidate's place before it was activated. */
export interface ReleaseSuperseded {
  readonly type: 'ReleaseSuperseded'
  readonly service: string
  readonly release: string
  readonly revision: number
  readonly generation: number
  readonly by: number
}

export interface ReleaseActivated {
  readonly type: 'ReleaseActivated'
  readonly service: string
  readonly release: string
  readonly revision: number
  readonly generation: number
  /** Hosts that leave other services in this very instant. */
  readonly takenOver: readonly {
    readonly service: string
    readonly hosts: readonly HostPattern[]
  }[]
}

/** The release gets no new work; what it has may go on for `drainMs`. */
export interface DrainStarted {
  readonly type: 'DrainStarted'
  readonly service: string
  readonly release: string
  readonly revision: number
  readonly generation: number
  readonly drainMs: DrainMs
}

export interface DrainEnded {
  readonly type: 'DrainEnded'
  readonly service: string
  readonly release: string
  readonly revision: number
  readonly generation: number
  readonly outcome: DrainOutcome
}

export type DrainOutcome =
  /** Every live proxy holds no work of the release: it is safe to stop it. */
  | { readonly kind: 'drained'; readonly unreachable: readonly string[] }
  /** The deadline passed and this much work was cut. */
  | { readonly kind: 'timed-out'; readonly cut: number; readonly unreachable: readonly string[] }
  /** The release became active again. */
  | { readonly kind: 'cancelled' }

/** A target of an active release gets no new requests, until it is restored. */
export interface TargetEjected {
  readonly type: 'TargetEjected'
  readonly service: string
  readonly release: string
  readonly revision: number
  readonly target: string
  readonly reason: string
}

export interface TargetRestored {
  readonly type: 'TargetRestored'
  readonly service: string
  readonly release: string
  readonly revision: number
  readonly target: string
}

/** New requests wait, each for at most `holdMs`. */
export interface ServicePaused {
  readonly type: 'ServicePaused'
  readonly service: string
  readonly holdMs: number
}

export interface ServiceResumed {
  readonly type: 'ServiceResumed'
  readonly service: string
}

/** New requests are answered 503 with the message. */
export interface ServiceStopped {
  readonly type: 'ServiceStopped'
  readonly service: string
  readonly message: string
}

export interface ServiceRemoved {
  readonly type: 'ServiceRemoved'
  readonly service: string
}

/** Why a candidate was not activated. */
export type Failure =
  | {
      readonly kind: 'unhealthy'
      readonly target: string
      /** One sentence: `GET http://10.0.0.5:3000/up answered 503, expected 200-399`. */
      readonly reason: string
      readonly status?: number
      /** The first characters of the answer's body, control characters replaced. */
      readonly excerpt?: string
      readonly attempts: number
      readonly tookMs: number
    }
  | { readonly kind: 'host-taken'; readonly host: HostPattern; readonly owner: string }
  | { readonly kind: 'superseded'; readonly by: number }

/**
 * The services whose state or routes an event changes: none, for one about a certificate. The last is
 * the one it is about: those that lose a host to it go first, so that the host is free by the time its
 * new owner takes it.
 */
export const servicesOf = (event: GatewayEvent): readonly string[] => {
  if ('certificate' in event) return []
  return event.type === 'ReleaseActivated' && event.takenOver.length > 0
    ? [...event.takenOver.map((loser) => loser.service), event.service]
    : [event.service]
}

/** The certificate whose state an event changes, if it is about one. */
export const certificateOf = (event: GatewayEvent): string | undefined =>
  'certificate' in event ? event.certificate : undefined
