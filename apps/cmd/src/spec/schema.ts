/**
 * What each field of a spec must hold. Zod checks the shape; its own messages never reach anybody,
 * because every reader says in our words what was found and what was expected.
 */
import { z } from 'zod'
import type { Field, FieldName, Fields } from './fields.ts'
import { sayPath, whereIs } from './fields.ts'
import {
  count,
  drainDuration,
  duration,
  flag,
  grpcService,
  hostList,
  hostName,
  hstsSeconds,
  labels,
  oneOf,
  path,
  positiveDuration,
  size,
  statusRange,
  targetList,
  text,
  type Reader,
} from './readers.ts'
import { timeoutList } from './timeout-list.ts'

/** Bounds of counts, far above any use, so that a slip of the finger is noticed. */
const CHECKS_MAX = 100
const CONNECTIONS_MAX = 65_535
const QUEUE_MAX = 1_000_000

const read = <Value>(reader: Reader<Value>) =>
  z
    .unknown()
    .transform((raw, context): Value => {
      const reading = reader(raw)
      if ('value' in reading) return reading.value
      context.addIssue({ code: 'custom', message: reading.problem, path: [...(reading.at ?? [])] })
      return z.NEVER
    })
    .optional()

const schema = z.strictObject({
  service: read(text('a service name such as "shop"')),
  hosts: read(hostList),
  targets: read(targetList),
  target_id: read(text('a release name such as "2026-05-01"')),
  metadata: read(labels),
  drain_timeout: read(drainDuration),
  host_header: read(oneOf('preserve', 'target')),
  timeouts: read(timeoutList),
  force_https: read(flag),
  hsts: read(hstsSeconds),
  canonical_host: read(hostName),
  'tls.mode': read(oneOf('auto', 'off')),
  'tls.cert': read(text('the path of a certificate in PEM')),
  'tls.key': read(text('the path of a private key in PEM')),
  'tls.client_ca': read(text('the path of a certificate in PEM')),
  'tls.verify': read(flag),
  'tls.server_name': read(text('a host name')),
  'health.skip': read(flag),
  'health.path': read(path),
  'health.method': read(oneOf('GET', 'HEAD')),
  'health.grpc': read(grpcService),
  'health.host': read(text('a host name')),
  'health.status': read(statusRange),
  'health.timeout': read(positiveDuration),
  'health.interval': read(duration),
  'health.attempt_timeout': read(positiveDuration),
  'health.rise': read(count(1, CHECKS_MAX)),
  'health.fall': read(count(1, CHECKS_MAX)),
  'health.require': read(oneOf('all', 'any')),
  'balance.policy': read(oneOf('round_robin')),
  'balance.health': read(oneOf('required')),
  'limits.connect_timeout': read(positiveDuration),
  'limits.response_timeout': read(positiveDuration),
  'limits.idle_timeout': read(positiveDuration),
  'limits.upgraded_idle_timeout': read(positiveDuration),
  'limits.max_request_body': read(size),
  'limits.max_websocket_message': read(size),
  'limits.max_connections': read(count(1, CONNECTIONS_MAX)),
  'limits.max_queue': read(count(0, QUEUE_MAX)),
} satisfies Record<FieldName, z.ZodType>)

export type SpecValues = z.infer<typeof schema>

export type CheckedFields =
  { readonly values: SpecValues } | { readonly problems: readonly string[] }

/** Reads every field. All problems are found, not just the first. */
export const checkFields = (fields: Fields): CheckedFields => {
  const raw = Object.fromEntries([...fields].map(([name, field]) => [name, field.value]))
  const result = schema.safeParse(raw)
  if (result.success) return { values: result.data }
  return {
    problems: result.error.issues.map((issue) => {
      const [name, ...within] = issue.path.filter((part) => typeof part !== 'symbol')
      const field = [...fields].find(([each]) => each === name)?.[1]
      return field === undefined ? issue.message : sentence(field, within, issue.message)
    }),
  }
}

const sentence = (field: Field, within: readonly (string | number)[], problem: string): string => {
  // `target_url` is one URL, kept as a list of one: its own name says which.
  const inner =
    Array.isArray(field.value) && !field.written.endsWith('s') ? within.slice(1) : within
  const { file, lineOf } = field
  if (file === undefined || lineOf === undefined) {
    return `${sayPath([field.written, ...inner])}: ${problem}`
  }
  const source = { file, lineOf: () => lineOf(inner) }
  return `${whereIs(source, [field.written, ...inner])}: ${problem}`
}
