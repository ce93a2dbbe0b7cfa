/** What commands and reports about certificates lead to. */
import type {
  CertificateCommand,
  CertificateReport,
  ImportCertificate,
  RemoveCertificate,
  ReportCertificate,
  ReportChallenge,
  ReportRevocation,
  RequestCertificate,
  RevokeCertificate,
} from './certificate-command.ts'
import type { CertificateRequested } from './certificate-event.ts'
import { problemOfCertificateName, problemOfFacts, problemOfNames } from './certificate-form.ts'
import { automatic, certifiable, isKept, namesWanted } from './certificate-need.ts'
import { namesCover, openOrder, type Certificate } from './certificate.ts'
import { accepted, nothing, rejected, type Decision } from './decision.ts'
import type { Gateway } from './gateway.ts'

/** How much of an authority's words is kept. */
const REASON_CHARACTERS_MAX = 1_000

export const decideCertificate = (
  command: CertificateCommand | CertificateReport,
  gateway: Gateway,
): Decision => {
  switch (command.type) {
    case 'RequestCertificate':
      return request(command, gateway)
    case 'ImportCertificate':
      return importBundle(command, gateway)
    case 'RevokeCertificate':
      return withCertificate(command, gateway, (known) => revoke(command, known, gateway))
    case 'RemoveCertificate':
      return withCertificate(command, gateway, () => remove(command, gateway))
    case 'ReportChallenge':
      return reportChallenge(command, gateway)
    case 'ReportCertificate':
      return reportCertificate(command, gateway)
    case 'ReportRevocation':
      return reportRevocation(command, gateway)
  }
}

const withCertificate = (
  command: RevokeCertificate | RemoveCertificate,
  gateway: Gateway,
  then: (known: Certificate) => Decision,
): Decision => {
  const known = gateway.certificates.get(command.certificate)
  return known === undefined ? unknown(command.certificate) : then(known)
}

const unknown = (certificate: string): Decision =>
  rejected({ reason: 'unknown-certificate', certificate })

const request = (command: RequestCertificate, gateway: Gateway): Decision => {
  const { certificate, reason } = command
  const problem = problemOfCertificateName(certificate)
  if (problem !== undefined) return rejected({ reason: 'invalid', field: 'name', problem })
  const known = gateway.certificates.get(certificate)
  const names = command.names ?? namesWanted(certificate, gateway)
  if (command.names === undefined && names.length === 0) return unknown(certificate)
  const wrong = problemOfNames(names)
  if (wrong !== undefined) return rejected({ reason: 'invalid', ...wrong })
  const uncovered = problemOfCoverage(certificate, names, gateway)
  if (uncovered !== undefined) return rejected({ reason: 'invalid', ...uncovered })
  const order = known === undefined ? undefined : openOrder(known)
  const ordered: CertificateRequested = {
    type: 'CertificateRequested',
    certificate,
    names,
    generation: gateway.generation + 1,
    reason,
  }
  switch (reason) {
    case 'renewal':
      // A worker looked at an older state: somebody renewed it, gave it up, or has no use for it now.
      return known === undefined ||
        known.order !== undefined ||
        !isKept(known, gateway) ||
        (command.renews !== undefined && known.current?.fingerprint !== command.renews)
        ? nothing
        : accepted(ordered)
    case 'on-demand':
      return known === undefined ? accepted(ordered) : nothing
    case 'command':
      if (
        known?.current?.source === 'imported' &&
        command.names === undefined &&
        automatic(certificate, gateway) === undefined
      ) {
        return rejected({ reason: 'certificate-imported', certificate })
      }
      // One that waits after a failure is tried again at once, under a number of its own.
      return order !== undefined && order.failure === undefined && isSame(order.names, names)
        ? nothing
        : accepted(ordered)
  }
}

/** Also part of a deploy that brings its certificate along. */
export const importBundle = (command: ImportCertificate, gateway: Gateway): Decision => {
  const { type: _, ...imported } = command
  const problem = problemOfCertificateName(command.certificate)
  if (problem !== undefined) return rejected({ reason: 'invalid', field: 'name', problem })
  const wrong = problemOfFacts(command)
  if (wrong !== undefined) return rejected({ reason: 'invalid', ...wrong })
  const uncovered = problemOfCoverage(command.certificate, command.names, gateway)
  if (uncovered !== undefined) return rejected({ reason: 'invalid', ...uncovered })
  const current = gateway.certificates.get(command.certificate)?.current
  return current?.fingerprint === command.fingerprint && current.revoked === undefined
    ? nothing
    : accepted({ type: 'CertificateImported', ...imported })
}

const revoke = (command: RevokeCertificate, known: Certificate, gateway: Gateway): Decision => {
  const { certificate, reason } = command
  const { current } = known
  if (current === undefined) return rejected({ reason: 'nothing-to-revoke', certificate })
  if (current.revoked !== undefined) return nothing
  const { fingerprint } = current
  const replaced = isKept(known, gateway) && openOrder(known) === undefined
  return accepted(
    { type: 'CertificateRevoked', certificate, fingerprint, reason },
    ...(replaced
      ? [
          {
            type: 'CertificateRequested',
            certificate,
            names: namesWanted(certificate, gateway),
            generation: gateway.generation + 1,
            reason: 'renewal',
          } as const,
        ]
      : []),
  )
}

const remove = ({ certificate }: RemoveCertificate, gateway: Gateway): Decision =>
  automatic(certificate, gateway) === undefined
    ? accepted({ type: 'CertificateRemoved', certificate })
    : rejected({ reason: 'certificate-needed', certificate })

const reportChallenge = (report: ReportChallenge, gateway: Gateway): Decision => {
  const { certificate, generation, change } = report
  const order = orderOf(report, gateway)
  if (order === undefined) return nothing
  switch (change.kind) {
    case 'published': {
      const known = new Set(order.challenges.map((each) => JSON.stringify(each)))
      const fresh = change.challenges.filter((each) => !known.has(JSON.stringify(each)))
      return accepted(
        ...fresh.map(
          (challenge) =>
            ({ type: 'ChallengePublished', certificate, generation, challenge }) as const,
        ),
      )
    }
    case 'withdrawn':
      return order.challenges.length === 0
        ? nothing
        : accepted({ type: 'ChallengesWithdrawn', certificate, generation })
  }
}

const reportCertificate = (report: ReportCertificate, gateway: Gateway): Decision => {
  const { certificate, generation, outcome } = report
  const order = orderOf(report, gateway)
  if (order === undefined) return nothing
  if (outcome.kind === 'issued') {
    const { kind: _, ...facts } = outcome
    const missed = order.names.find((name) => !namesCover(facts.names, name))
    const problem =
      missed === undefined
        ? problemOfFacts(facts)
        : { field: 'names', problem: `do not cover ${missed}, which was ordered` }
    if (problem !== undefined) return rejected({ reason: 'invalid', ...problem })
    return accepted({ type: 'CertificateIssued', certificate, generation, ...facts })
  }
  return accepted({
    type: 'CertificateFailed',
    certificate,
    generation,
    reason: outcome.reason.slice(0, REASON_CHARACTERS_MAX),
    attempts: (order.failure?.attempts ?? 0) + 1,
    ...(outcome.retryAt === undefined ? {} : { retryAt: outcome.retryAt }),
  })
}

const reportRevocation = (report: ReportRevocation, gateway: Gateway): Decision => {
  const { certificate, fingerprint, outcome } = report
  const known = gateway.certificates.get(certificate)
  return known?.revocations.some((each) => each.fingerprint === fingerprint) === true
    ? accepted({ type: 'RevocationEnded', certificate, fingerprint, outcome })
    : nothing
}

/** What a service that the gateway sees to would lose by it. */
const problemOfCoverage = (
  certificate: string,
  names: readonly string[],
  gateway: Gateway,
): { readonly field: string; readonly problem: string } | undefined => {
  const service = automatic(certificate, gateway)
  const missed = service && certifiable(service.hosts).find((host) => !namesCover(names, host))
  return missed === undefined
    ? undefined
    : {
        field: 'names',
        problem: `${names.join(', ')} do not cover ${missed}, which service ${certificate} serves`,
      }
}

/** The order that a report answers; undefined when it came too late to matter. */
const orderOf = (
  { certificate, generation }: ReportChallenge | ReportCertificate,
  gateway: Gateway,
) => {
  const known = gateway.certificates.get(certificate)
  const order = known === undefined ? undefined : openOrder(known)
  return order?.generation === generation ? order : undefined
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((name) => other.includes(name))
