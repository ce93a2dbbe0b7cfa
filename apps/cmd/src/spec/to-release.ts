/** From a spec's fields to the release that is declared: every default is filled in here, once. */
import {
  DRAIN_MS_DEFAULT,
  HEALTH_DEFAULTS,
  LIMIT_DEFAULTS,
  NAME,
  problemOfRelease,
  type HealthCheck,
  type Limits,
  type Release,
} from '@gatehouse/domain'
import type { Fields, Flattened } from './fields.ts'
import { whereIs } from './fields.ts'
import { checkFields, type SpecValues } from './schema.ts'
import { toIngress, type TlsFiles } from './to-ingress.ts'

export type SpecRelease =
  | {
      readonly service: string
      readonly release: Release
      /** What is to be read before it is complete. */
      readonly files: TlsFiles
    }
  | { readonly problems: readonly string[] }

export interface ReleaseContext {
  /** What the fields came from, for sentences about those that are missing: a file, or the flags. */
  readonly from: string
  /** The id when the spec gives none. */
  readonly newId: () => string
}

/** A release and its service, or every reason why not. */
export const toRelease = (
  { fields, problems }: Flattened,
  { from, newId }: ReleaseContext,
): SpecRelease => {
  const checked = checkFields(fields)
  if ('problems' in checked) return { problems: [...problems, ...checked.problems] }
  if (problems.length > 0) return { problems }
  const { values } = checked
  const { service, hosts, targets } = values
  if (service === undefined || hosts === undefined || targets === undefined) {
    return { problems: missing(values, from) }
  }
  const ingress = toIngress(values)
  if ('problem' in ingress) {
    return { problems: [about(fields, ingress.field, ingress.problem, from)] }
  }
  const release: Release = {
    id: values.target_id ?? newId(),
    hosts,
    targets,
    health: healthOf(values),
    drainMs: values.drain_timeout ?? DRAIN_MS_DEFAULT,
    limits: limitsOf(values),
    ...(values.timeouts === undefined ? {} : { timeouts: values.timeouts }),
    ...(ingress.ingress === undefined ? {} : { ingress: ingress.ingress }),
    ...tlsOf(values),
    hostHeader: values.host_header ?? 'preserve',
    metadata: values.metadata ?? {},
  }
  if (!NAME.test(service)) return { problems: [about(fields, 'service', notAName(service), from)] }
  const problem = problemOfRelease(release)
  return problem === undefined
    ? { service, release, files: ingress.files }
    : { problems: [about(fields, problem.field, problem.problem, from)] }
}

const healthOf = (values: SpecValues): HealthCheck => {
  const grpc = values['health.grpc']
  const host = values['health.host']
  const status = values['health.status']
  return {
    skip: values['health.skip'] ?? HEALTH_DEFAULTS.skip,
    path: values['health.path'] ?? HEALTH_DEFAULTS.path,
    method: values['health.method'] ?? HEALTH_DEFAULTS.method,
    ...(grpc === undefined ? {} : { grpc }),
    ...(host === undefined ? {} : { host }),
    statusMin: status?.min ?? HEALTH_DEFAULTS.statusMin,
    statusMax: status?.max ?? HEALTH_DEFAULTS.statusMax,
    timeoutMs: values['health.timeout'] ?? HEALTH_DEFAULTS.timeoutMs,
    intervalMs: values['health.interval'] ?? HEALTH_DEFAULTS.intervalMs,
    attemptMs: values['health.attempt_timeout'] ?? HEALTH_DEFAULTS.attemptMs,
    rise: values['health.rise'] ?? HEALTH_DEFAULTS.rise,
    fall: values['health.fall'] ?? HEALTH_DEFAULTS.fall,
    // `balance.health: required` asks of each target to be healthy before it gets requests, not of all
    // of them to be: those that fail are left out.
    require:
      values['health.require'] ??
      (values['balance.health'] === 'required' ? 'any' : HEALTH_DEFAULTS.require),
  }
}

const limitsOf = (values: SpecValues): Limits => {
  const messageMax = values['limits.max_websocket_message'] ?? 'unlimited'
  return {
    connectMs: values['limits.connect_timeout'] ?? LIMIT_DEFAULTS.connectMs,
    responseMs: values['limits.response_timeout'] ?? LIMIT_DEFAULTS.responseMs,
    idleMs: values['limits.idle_timeout'] ?? LIMIT_DEFAULTS.idleMs,
    upgradedIdleMs: values['limits.upgraded_idle_timeout'] ?? LIMIT_DEFAULTS.upgradedIdleMs,
    requestBytesMax: values['limits.max_request_body'] ?? LIMIT_DEFAULTS.requestBytesMax,
    connectionsMax: values['limits.max_connections'] ?? LIMIT_DEFAULTS.connectionsMax,
    queueMax: values['limits.max_queue'] ?? LIMIT_DEFAULTS.queueMax,
    ...(messageMax === 'unlimited' ? {} : { webSocketMessageBytesMax: messageMax }),
  }
}

/** Absent when nothing is said: an `https` target is verified then, under its own name. */
const tlsOf = (values: SpecValues): Pick<Release, 'tls'> => {
  const verify = values['tls.verify']
  const serverName = values['tls.server_name']
  if (verify === undefined && serverName === undefined) return {}
  return {
    tls: { verify: verify ?? true, ...(serverName === undefined ? {} : { serverName }) },
  }
}

/** What the domain says of a service's name, said before anything is sent. */
const notAName = (text: string): string =>
  `found "${text}"; expected letters, digits, ".", "_" and "-", at most 63, a letter or digit first`

const EXPECTED_OF_MISSING = {
  service: ['service', 'a service name such as "shop"'],
  hosts: [
    'hosts',
    'a list of host names such as ["app.example.com"]; "default" answers every host',
  ],
  targets: ['target_url', 'where the release listens, such as "http://10.0.0.5:3000"'],
} as const

const FLAG_OF_MISSING = { service: 'SERVICE', hosts: '--host', targets: '--target' } as const

const missing = (values: SpecValues, from: string): readonly string[] =>
  (['service', 'hosts', 'targets'] as const)
    .filter((name) => values[name] === undefined)
    .map((name) => {
      const [written, expected] = EXPECTED_OF_MISSING[name]
      return from === ''
        ? `${FLAG_OF_MISSING[name]} is missing; expected ${expected}`
        : `${from}: ${written} is missing; expected ${expected}`
    })

/** A problem that the domain found, under the name that the user gave the field. */
export const about = (fields: Fields, name: string, problem: string, from: string): string => {
  const base = name.replace(/[[.].*$/, '')
  const meant = base === 'health_path' ? ['health.path'] : base === 'tls' ? TLS_FIELDS : [base]
  const exact = [...fields].find(([each]) => each === name)
  const field = (exact ?? [...fields].find(([each]) => meant.includes(each)))?.[1]
  const { file, lineOf } = field ?? {}
  if (field === undefined) return `${from === '' ? '' : `${from}: `}${name}: ${problem}`
  if (file === undefined || lineOf === undefined) return `${field.written}: ${problem}`
  return `${whereIs({ file, lineOf: () => lineOf([]) }, [field.written])}: ${problem}`
}

/** Any of these makes a service have a certificate. */
const TLS_FIELDS: readonly string[] = ['tls.mode', 'tls.cert']
