/**
 * Events as they lie in the log, and back. An older version is brought up to date before it is checked.
 * What cannot be read is a value, not an error: a newer writer or a broken entry must never stop a
 * proxy.
 */
import type { GatewayEvent } from '@gatehouse/domain'
import { fieldsOf, guardOf, type Guard } from './guard.ts'
import type { Meta } from './log.ts'
import { envelopeSchema, eventSchemas, eventTypes, type EventType } from './schemas.ts'
import { createSharing } from './sharing.ts'

export type Decoded =
  | { readonly kind: 'event'; readonly event: GatewayEvent; readonly meta: Meta }
  | { readonly kind: 'quarantined'; readonly type: string; readonly why: string }

export interface Codec {
  readonly encode: (event: GatewayEvent, meta: Meta) => string
  readonly decode: (body: string) => Decoded
}

/** Brings the data of an event from one version to the next. May throw: such an event is malformed. */
export type Upcaster = (
  data: Readonly<Record<string, unknown>>,
) => Readonly<Record<string, unknown>>

/** Per type, what leads from version 1 to 2, from 2 to 3, and so on: so it also tells the version. */
export type Upcasters = Readonly<Partial<Record<EventType, readonly Upcaster[]>>>

const UPCASTERS: Upcasters = {}

interface Kind {
  readonly type: EventType
  readonly version: number
  readonly upcasters: readonly Upcaster[]
  /** Says yes to the data of nearly all events: those that this program would have written. */
  readonly guard: Guard
}

export const createCodec = (upcasters: Upcasters): Codec => {
  const kinds: ReadonlyMap<string, Kind> = new Map(
    eventTypes.map((type) => [type, kindOf(type, upcasters[type] ?? [])]),
  )
  const share = createSharing()

  const decodeUsual = (wire: unknown): Decoded | undefined => {
    if (!isEnvelope(wire)) return undefined
    const { data, meta } = wire
    const kind = kinds.get(wire.type)
    if (kind?.version !== wire.v || !kind.guard(data)) return undefined
    return { kind: 'event', event: share(eventOf(kind.type, data)), meta }
  }

  const decodeAny = (wire: unknown): Decoded => {
    const envelope = envelopeSchema.safeParse(wire)
    if (!envelope.success) return quarantined('unreadable', 'has no type, version, data and meta')
    const { v, data, meta } = envelope.data
    const kind = kinds.get(envelope.data.type)
    if (kind === undefined) {
      return quarantined(envelope.data.type, 'is of a type that is not known here')
    }
    const { type, version } = kind
    if (v > version) {
      return quarantined(type, `has version ${v}; ${version} is the newest known here`)
    }
    let current = data
    try {
      for (const step of kind.upcasters.slice(v - 1)) current = { ...step(current) }
    } catch (error) {
      return quarantined(type, `cannot be brought from version ${v} up to date: ${String(error)}`)
    }
    const parsed = eventSchemas[type].safeParse({ ...current, type })
    if (parsed.success) return { kind: 'event', event: share(parsed.data), meta }
    const [issue] = parsed.error.issues
    const where = issue === undefined || issue.path.length === 0 ? 'shape' : issue.path.join('.')
    return quarantined(type, `has a bad ${where}: ${issue?.message ?? 'unknown problem'}`)
  }

  return {
    encode: ({ type, ...data }, meta) =>
      JSON.stringify({ type, v: kinds.get(type)?.version, data, meta }),
    decode: (body) => {
      const wire = parseJson(body)
      if (wire === undefined) return quarantined('unreadable', 'is not JSON')
      return decodeUsual(wire) ?? decodeAny(wire)
    },
  }
}

const kindOf = (type: EventType, upcasters: readonly Upcaster[]): Kind => {
  const { type: _, ...shape } = eventSchemas[type].shape
  return { type, version: upcasters.length + 1, upcasters, guard: fieldsOf(shape) }
}

interface Envelope {
  readonly type: string
  readonly v: number
  readonly data: Record<string, unknown>
  readonly meta: Meta
}

const envelopeGuard = guardOf(envelopeSchema)
const isEnvelope = (wire: unknown): wire is Envelope => envelopeGuard(wire)

const eventOf = (type: EventType, data: Record<string, unknown>): GatewayEvent => {
  // Nobody else has the object: it was parsed a moment ago. The guard of its type has accepted it.
  data['type'] = type
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return data as unknown as GatewayEvent
}

const quarantined = (type: string, why: string): Decoded => ({ kind: 'quarantined', type, why })

const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

export const { encode, decode } = createCodec(UPCASTERS)
