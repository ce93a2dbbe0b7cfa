/**
 * The work that facts call for, as data. `reactions` answers a single event as it arrives;
 * `outstanding` says the same of a whole state, so that a worker that was away, or a queue that was
 * lost, is made good by looking at the state once. Jobs are named, and the same job twice is one job.
 */
import { openOrder, type Certificate } from './certificate.ts'
import type { GatewayEvent } from './event.ts'
import { releaseOf, type Gateway, type Service } from './gateway.ts'

export type Job = ServiceJob | CertificateJob

export type ServiceJob =
  /** Probe the candidate's targets until they pass or the time is over, and report. */
  | { readonly type: 'CheckRelease'; readonly service: string; readonly generation: number }
  /** Wait until no live proxy holds work of the release, and report. */
  | { readonly type: 'WatchDrain'; readonly service: string; readonly generation: number }
  /** Probe the targets of an active release for as long as it is active; report who falls and rises. */
  | { readonly type: 'WatchTargets'; readonly service: string; readonly revision: number }

export type CertificateJob =
  /** Get a certificate from its authority, in as many attempts as it takes, and report each. */
  | { readonly type: 'OrderCertificate'; readonly certificate: string; readonly generation: number }
  /** Tell the authority that a certificate is revoked, and report what it said. */
  | {
      readonly type: 'RevokeCertificate'
      readonly certificate: string
      readonly fingerprint: string
    }

export const reactions = (event: GatewayEvent): readonly Job[] => {
  switch (event.type) {
    case 'ReleaseDeclared':
    case 'SwitchRequested':
      return [{ type: 'CheckRelease', service: event.service, generation: event.generation }]
    case 'ReleaseActivated':
      return [{ type: 'WatchTargets', service: event.service, revision: event.revision }]
    case 'DrainStarted':
      return [{ type: 'WatchDrain', service: event.service, generation: event.generation }]
    case 'CertificateRequested': {
      const { certificate, generation } = event
      return [{ type: 'OrderCertificate', certificate, generation }]
    }
    case 'CertificateRevoked': {
      const { certificate, fingerprint } = event
      return [{ type: 'RevokeCertificate', certificate, fingerprint }]
    }
    case 'ReleasePassed':
    case 'ReleaseFailed':
    case 'ReleaseSuperseded':
    case 'DrainEnded':
    case 'TargetEjected':
    case 'TargetRestored':
    case 'ServicePaused':
    case 'ServiceResumed':
    case 'ServiceStopped':
    case 'ServiceRemoved':
    case 'ChallengePublished':
    case 'ChallengesWithdrawn':
    case 'CertificateIssued':
    case 'CertificateImported':
    case 'CertificateFailed':
    case 'RevocationEnded':
    case 'CertificateRemoved':
      return []
  }
}

/** Every job that the state still calls for. */
export const outstanding = (gateway: Gateway): readonly Job[] => [
  ...[...gateway.services.values()].flatMap(outstandingOf),
  ...[...gateway.certificates.values()].flatMap(outstandingFor),
]

/** Whether the state still calls for the job: a worker asks before it starts and before it goes on. */
export const isCalledFor = (job: Job, gateway: Gateway): boolean => {
  const outstandingThere = outstandingAround(job, gateway)
  return outstandingThere.some((each) => nameOf(each) === nameOf(job))
}

/** The job's name in the queue: the same work has the same name, whoever asks for it. */
export const nameOf = (job: Job): string => {
  switch (job.type) {
    case 'CheckRelease':
      return `check/${job.service}/${job.generation}`
    case 'WatchDrain':
      return `drain/${job.service}/${job.generation}`
    case 'WatchTargets':
      return `targets/${job.service}/${job.revision}`
    case 'OrderCertificate':
      return `order/${job.certificate}/${job.generation}`
    case 'RevokeCertificate':
      return `revoke/${job.certificate}/${job.fingerprint}`
  }
}

/** What the service or the certificate calls for that the job is about. */
const outstandingAround = (job: Job, { services, certificates }: Gateway): readonly Job[] => {
  if ('certificate' in job) {
    const certificate = certificates.get(job.certificate)
    return certificate === undefined ? [] : outstandingFor(certificate)
  }
  const service = services.get(job.service)
  return service === undefined ? [] : outstandingOf(service)
}

const outstandingFor = (certificate: Certificate): readonly Job[] => {
  const { name, revocations } = certificate
  const order = openOrder(certificate)
  return [
    ...(order === undefined
      ? []
      : [{ type: 'OrderCertificate', certificate: name, generation: order.generation } as const]),
    ...revocations.map(
      ({ fingerprint }) => ({ type: 'RevokeCertificate', certificate: name, fingerprint }) as const,
    ),
  ]
}

const outstandingOf = (service: Service): readonly Job[] => {
  const { name, candidate, drains } = service
  const active = releaseOf(service, service.active)
  // With a single target there is nobody else to send its requests to, so watching it changes nothing.
  const watched =
    active !== undefined && !active.release.health.skip && active.release.targets.length > 1
  return [
    ...(candidate === undefined
      ? []
      : [{ type: 'CheckRelease', service: name, generation: candidate.generation } as const]),
    ...drains.map(
      (drain) => ({ type: 'WatchDrain', service: name, generation: drain.generation }) as const,
    ),
    ...(watched
      ? [{ type: 'WatchTargets', service: name, revision: active.revision } as const]
      : []),
  ]
}
