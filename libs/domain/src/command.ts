/**
 * Everything that can be asked of the gateway. People ask for changes of services and certificates,
 * workers report what they found; all take the same way in. Ids come inside the command, because the
 * domain has no randomness, and nothing here depends on a clock.
 */
import type { CertificateCommand, CertificateReport } from './certificate-command.ts'
import type { CertificateFacts } from './certificate-event.ts'
import type { DrainOutcome } from './event.ts'
import type { DrainMs, Release } from './release.ts'

export type Command = Request | CertificateCommand | Report

/** What is asked of a service. */
export type Request = Deploy | Switch | Rollback | Drain | Pause | Resume | Stop | Remove

export type Report = ServiceReport | CertificateReport

export type ServiceReport = ReportHealth | ReportTarget | ReportDrain

/** What a command is about, for whoever speaks of it. */
export const subjectOf = (
  command: Command,
): { readonly service: string } | { readonly certificate: string } =>
  'certificate' in command ? { certificate: command.certificate } : { service: command.service }

/** Declares a release, has it checked, makes it active and drains the one before. */
export interface Deploy {
  readonly type: 'Deploy'
  readonly service: string
  readonly release: Release
  /** Stop before making it active. */
  readonly stage: boolean
  /** Take hosts over from the services that own them. */
  readonly takeOver: boolean
  /** Do nothing when the service exists already: how static configuration seeds a fleet. */
  readonly ifAbsent: boolean
  /** Imported with it under the service's name; it lies sealed under its fingerprint already. */
  readonly bundle?: CertificateFacts
  readonly expectVersion?: number
}

/** Makes a known release active, after checking it again. */
export interface Switch {
  readonly type: 'Switch'
  readonly service: string
  readonly release: string
  readonly expectVersion?: number
}

/** A switch to the release that was active before, or to the one named. */
export interface Rollback {
  readonly type: 'Rollback'
  readonly service: string
  readonly to?: string
  readonly expectVersion?: number
}

/** Takes a release out of service: the active one when none is named. */
export interface Drain {
  readonly type: 'Drain'
  readonly service: string
  readonly release?: string
  readonly drainMs?: DrainMs
  readonly expectVersion?: number
}

export interface Pause {
  readonly type: 'Pause'
  readonly service: string
  readonly holdMs: number
  readonly expectVersion?: number
}

export interface Resume {
  readonly type: 'Resume'
  readonly service: string
  readonly expectVersion?: number
}

export interface Stop {
  readonly type: 'Stop'
  readonly service: string
  readonly message: string
  readonly expectVersion?: number
}

export interface Remove {
  readonly type: 'Remove'
  readonly service: string
  readonly expectVersion?: number
}

/** A worker has finished the health gate of a candidate. */
export interface ReportHealth {
  readonly type: 'ReportHealth'
  readonly service: string
  readonly generation: number
  readonly outcome: HealthOutcome
}

export type HealthOutcome =
  | {
      readonly kind: 'passed'
      readonly attempts: number
      readonly tookMs: number
      readonly failing: readonly string[]
    }
  | {
      readonly kind: 'failed'
      readonly target: string
      readonly reason: string
      readonly status?: number
      readonly excerpt?: string
      readonly attempts: number
      readonly tookMs: number
    }

/** A target of the active release has fallen or risen. */
export interface ReportTarget {
  readonly type: 'ReportTarget'
  readonly service: string
  readonly revision: number
  readonly target: string
  readonly health: { readonly kind: 'up' } | { readonly kind: 'down'; readonly reason: string }
}

/** The fleet holds no more work of a draining release, or what was left has been cut. */
export interface ReportDrain {
  readonly type: 'ReportDrain'
  readonly service: string
  readonly generation: number
  readonly outcome: Exclude<DrainOutcome, { kind: 'cancelled' }>
}
