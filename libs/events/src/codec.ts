/**
 * Events as they lie in the log, and back. The schemas are the current versions; an older version is
 * brought up to date before it is checked. What cannot be read is a value, not an error: a newer
 * writer or a broken entry must never stop a proxy.
 */
import { z } from 'zod'
import type { GatewayEvent } from '@gatehouse/domain'
import type { Meta } from './log.ts'

export type Decoded =
  | { readonly kind: 'event'; readonly event: GatewayEvent; readonly meta: Meta }
  | { readonly kind: 'quarantined'; readonly type: string; readonly why: string }

export const encode = (event: GatewayEvent, meta: Meta): string => {
  const { type, ...data } = event
  return JSON.stringify({ type, v: VERSIONS[type], data, meta })
}

export const decode = (body: string): Decoded => {
  let wire: unknown
  try {
    wire = JSON.parse(body)
  } catch {
    return { kind: 'quarantined', type: 'unreadable', why: 'is not JSON' }
  }
  const envelope = envelopeSchema.safeParse(wire)
  if (!envelope.success) {
    return { kind: 'quarantined', type: 'unreadable', why: 'has no type, version, data and meta' }
  }
  const { type, v, data, meta } = envelope.data
  if (!isKnown(type))
    return { kind: 'quarantined', type, why: 'is of a type that is not known here' }
  if (v > VERSIONS[type]) {
    return {
      kind: 'quarantined',
      type,
      why: `has version ${v}; ${VERSIONS[type]} is the newest known here`,
    }
  }
  const parsed = schemas[type].safeParse(upcast(type, v, data))
  if (parsed.success) return { kind: 'event', event: parsed.data, meta }
  const [issue] = parsed.error.issues
  return {
    kind: 'quarantined',
    type,
    why: `has a bad ${issue?.path.join('.') ?? 'shape'}: ${issue?.message ?? 'unknown problem'}`,
  }
}

type EventType = GatewayEvent['type']
type Upcaster = (data: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>

const count = z.int().nonnegative()
const name = z.string().min(1)
const duration = z.number().nonnegative()
const drainMs = z.union([duration, z.literal('infinity')])

const releaseSchema = z.strictObject({
  id: name,
  hosts: z.array(name).readonly(),
  targets: z.array(z.strictObject({ url: name })).readonly(),
  health: z.strictObject({
    skip: z.boolean(),
    path: z.string(),
    method: z.enum(['GET', 'HEAD']),
    host: z.string().exactOptional(),
    statusMin: count,
    statusMax: count,
    timeoutMs: duration,
    intervalMs: duration,
    attemptMs: duration,
    rise: count,
    fall: count,
    require: z.enum(['all', 'any']),
  }),
  drainMs,
  limits: z.strictObject({
    connectMs: duration,
    responseMs: duration,
    idleMs: duration,
    upgradedIdleMs: duration,
    requestBytesMax: z.union([count, z.literal('unlimited')]),
    connectionsMax: count,
    queueMax: count,
  }),
  hostHeader: z.enum(['preserve', 'target']),
  metadata: z.record(z.string(), z.string()).readonly(),
})

const failureSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('unhealthy'),
    target: z.string(),
    reason: z.string(),
    status: z.int().exactOptional(),
    excerpt: z.string().exactOptional(),
    attempts: count,
    tookMs: duration,
  }),
  z.strictObject({ kind: z.literal('host-taken'), host: name, owner: name }),
  z.strictObject({ kind: z.literal('superseded'), by: count }),
])

const unreachable = z.array(z.string()).readonly()
const outcomeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('drained'), unreachable }),
  z.strictObject({ kind: z.literal('timed-out'), cut: count, unreachable }),
  z.strictObject({ kind: z.literal('cancelled') }),
])

const about = { service: name, release: name, revision: count }
const attempt = { ...about, generation: count }

/** The compiler proves the table complete, and every schema true to its event. */
const schemas = {
  ReleaseDeclared: z.strictObject({
    type: z.literal('ReleaseDeclared'),
    service: name,
    release: releaseSchema,
    generation: count,
    stage: z.boolean(),
    takeOver: z.boolean(),
  }),
  SwitchRequested: z.strictObject({ type: z.literal('SwitchRequested'), ...attempt }),
  ReleasePassed: z.strictObject({
    type: z.literal('ReleasePassed'),
    ...attempt,
    attempts: count,
    tookMs: duration,
    failing: z.array(z.string()).readonly(),
  }),
  ReleaseFailed: z.strictObject({
    type: z.literal('ReleaseFailed'),
    ...attempt,
    failure: failureSchema,
  }),
  ReleaseSuperseded: z.strictObject({
    type: z.literal('ReleaseSuperseded'),
    ...attempt,
    by: count,
  }),
  ReleaseActivated: z.strictObject({
    type: z.literal('ReleaseActivated'),
    ...attempt,
    takenOver: z
      .array(z.strictObject({ service: name, hosts: z.array(name).readonly() }))
      .readonly(),
  }),
  DrainStarted: z.strictObject({ type: z.literal('DrainStarted'), ...attempt, drainMs }),
  DrainEnded: z.strictObject({ type: z.literal('DrainEnded'), ...attempt, outcome: outcomeSchema }),
  TargetEjected: z.strictObject({
    type: z.literal('TargetEjected'),
    ...about,
    target: name,
    reason: z.string(),
  }),
  TargetRestored: z.strictObject({ type: z.literal('TargetRestored'), ...about, target: name }),
  ServicePaused: z.strictObject({
    type: z.literal('ServicePaused'),
    service: name,
    holdMs: duration,
  }),
  ServiceResumed: z.strictObject({ type: z.literal('ServiceResumed'), service: name }),
  ServiceStopped: z.strictObject({
    type: z.literal('ServiceStopped'),
    service: name,
    message: z.string(),
  }),
  ServiceRemoved: z.strictObject({ type: z.literal('ServiceRemoved'), service: name }),
} satisfies { [Type in EventType]: z.ZodType<Extract<GatewayEvent, { type: Type }>> }

/** The version in which each type is written today. */
const VERSIONS: Readonly<Record<EventType, number>> = {
  ReleaseDeclared: 1,
  SwitchRequested: 1,
  ReleasePassed: 1,
  ReleaseFailed: 1,
  ReleaseSuperseded: 1,
  ReleaseActivated: 1,
  DrainStarted: 1,
  DrainEnded: 1,
  TargetEjected: 1,
  TargetRestored: 1,
  ServicePaused: 1,
  ServiceResumed: 1,
  ServiceStopped: 1,
  ServiceRemoved: 1,
}

/** Per type, what leads from version 1 to 2, from 2 to 3, and so on. */
const UPCASTERS: Readonly<Partial<Record<EventType, readonly Upcaster[]>>> = {}

const envelopeSchema = z.object({
  type: z.string(),
  v: z.int().positive(),
  data: z.record(z.string(), z.unknown()),
  meta: z.object({
    command: z.string(),
    actor: z.string(),
    reason: z.string().exactOptional(),
    cause: count.exactOptional(),
    traceparent: z.string().exactOptional(),
    tool: z.string(),
  }),
})

const isKnown = (type: string): type is EventType => Object.hasOwn(schemas, type)

const upcast = (
  type: EventType,
  version: number,
  data: Readonly<Record<string, unknown>>,
): unknown => {
  const steps = UPCASTERS[type]?.slice(version - 1) ?? []
  return { ...steps.reduce((current, step) => step(current), data), type }
}
