/** The vocabulary of the product. Everything here is pure: no I/O, no clock, no randomness. */
export type {
  CertificateCommand,
  CertificateReport,
  ImportCertificate,
  OrderOutcome,
  RemoveCertificate,
  ReportCertificate,
  ReportChallenge,
  ReportRevocation,
  RequestCertificate,
  RevokeCertificate,
} from './certificate-command.ts'
export type {
  AuthorityChallenge,
  CertificateEvent,
  CertificateFacts,
  CertificateFailed,
  CertificateImported,
  CertificateIssued,
  CertificateRemoved,
  CertificateRequested,
  CertificateRevoked,
  ChallengePublished,
  ChallengesWithdrawn,
  OrderReason,
  RevocationEnded,
  RevocationOutcome,
  RevocationReason,
} from './certificate-event.ts'
export {
  automatic,
  certifiable,
  isKept,
  namesWanted,
  renewalOf,
  renewalsDue,
} from './certificate-need.ts'
export {
  coversAll,
  namesCover,
  openOrder,
  servedOf,
  type Certificate,
  type CertificateOrder,
  type CurrentCertificate,
  type Revocation,
  type ServedCertificate,
} from './certificate.ts'
export {
  subjectOf,
  type Command,
  type Deploy,
  type Drain,
  type HealthOutcome,
  type Pause,
  type Remove,
  type Report,
  type ReportDrain,
  type ReportHealth,
  type ReportTarget,
  type Request,
  type Resume,
  type Rollback,
  type ServiceReport,
  type Stop,
  type Switch,
} from './command.ts'
export { decide } from './decide.ts'
export type { Decision } from './decision.ts'
export {
  certificateOf,
  servicesOf,
  type DrainEnded,
  type DrainOutcome,
  type DrainStarted,
  type Failure,
  type GatewayEvent,
  type ReleaseActivated,
  type ReleaseDeclared,
  type ReleaseFailed,
  type ReleasePassed,
  type ReleaseSuperseded,
  type ServiceEvent,
  type ServicePaused,
  type ServiceRemoved,
  type ServiceResumed,
  type ServiceStopped,
  type SwitchRequested,
  type TargetEjected,
  type TargetRestored,
} from './event.ts'
export { evolve } from './evolve.ts'
export {
  emptyGateway,
  liveService,
  releaseNamed,
  releaseOf,
  type Candidate,
  type Gateway,
  type KnownRelease,
  type ReleaseStatus,
  type Service,
  type Traffic,
} from './gateway.ts'
export {
  DEFAULT_HOST,
  hostOfAuthority,
  parseHostPattern,
  patternCovers,
  type HostPattern,
  type ParsedHostPattern,
} from './host.ts'
export { createHostTable, matchHost, moveHosts, setHost, type HostTable } from './host-table.ts'
export { RELEASES_KEPT } from './memory.ts'
export {
  isCalledFor,
  nameOf,
  outstanding,
  reactions,
  type CertificateJob,
  type Job,
  type ServiceJob,
} from './reactions.ts'
export { HSTS_SECONDS_MAX, type Ingress } from './ingress.ts'
export { sentenceOf, type Rejection } from './rejection.ts'
export { bySpecificity, matchesPath, type PathTimeout } from './path-timeouts.ts'
export {
  DRAIN_MS_DEFAULT,
  HEALTH_DEFAULTS,
  HOSTS_MAX,
  LIMIT_DEFAULTS,
  NAME,
  problemOfRelease,
  TARGETS_MAX,
  type DrainMs,
  type HealthCheck,
  type Limits,
  type Release,
  type Target,
  type TargetTls,
} from './release.ts'
export {
  emptyTable,
  project,
  routeOf,
  tableOf,
  type ActiveRelease,
  type Route,
  type RouteTable,
} from './routes.ts'
export { scopesOf } from './scopes.ts'
export { parseTarget, type ParsedTarget, type TargetAddress } from './target.ts'
