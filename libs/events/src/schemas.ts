/**
 * The form of every event, in its current version. These schemas are what is strict about the log; the
 * codec asks guards made of them first, because it asks a hundred thousand times a second.
 */
import { z } from 'zod'
import type { GatewayEvent } from '@gatehouse/domain'
import { certificateSchemas } from './certificate-schemas.ts'

export type EventType = GatewayEvent['type']

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
    grpc: z.string().exactOptional(),
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
    webSocketMessageBytesMax: count.exactOptional(),
    requestBytesMax: z.union([count, z.literal('unlimited')]),
    connectionsMax: count,
    queueMax: count,
  }),
  timeouts: z
    .array(
      z.strictObject({
        path: name,
        method: name.exactOptional(),
        responseMs: duration.exactOptional(),
        idleMs: duration.exactOptional(),
      }),
    )
    .readonly()
    .exactOptional(),
  ingress: z
    .strictObject({
      tls: z.enum(['auto', 'manual', 'off']),
      forceHttps: z.boolean(),
      hstsSeconds: count.exactOptional(),
      canonicalHost: name.exactOptional(),
      clientCa: name.exactOptional(),
    })
    .exactOptional(),
  tls: z.strictObject({ verify: z.boolean(), serverName: name.exactOptional() }).exactOptional(),
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
export const eventSchemas = {
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
  ...certificateSchemas,
} satisfies { [Type in EventType]: z.ZodType<Extract<GatewayEvent, { type: Type }>> }

export const eventTypes: readonly EventType[] = Object.values(eventSchemas).map(
  ({ shape }) => shape.type.value,
)

const metaShape = {
  command: z.string(),
  actor: z.string(),
  reason: z.string().exactOptional(),
  cause: count.exactOptional(),
  traceparent: z.string().exactOptional(),
  tool: z.string(),
}

/** What every entry has around its event. Newer programs may say more here; that is left out. */
export const envelopeSchema = z.object({
  type: z.string(),
  v: z.int().positive(),
  data: z.record(z.string(), z.unknown()),
  meta: z.object(metaShape),
})
