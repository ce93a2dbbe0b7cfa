/**
 * Schemas as plain functions. A guard says yes only to what its schema accepts as it is, and is many
 * times as fast, for it says neither what is wrong nor what was right; whoever wants to know why asks
 * the schema. A schema that says more than is understood here is an error when the program loads.
 */
import { z } from 'zod'

export type Guard = (value: unknown) => boolean

/** Throws when no guard can be made of the schema. */
export const guardOf = (schema: z.core.$ZodType): Guard => {
  if (schema instanceof z.ZodString) return stringOf(schema)
  if (schema instanceof z.ZodNumber) return numberOf(schema)
  if (schema instanceof z.ZodType) expectChecks(schema, 0)
  if (schema instanceof z.ZodBoolean) return (value) => typeof value === 'boolean'
  if (schema instanceof z.ZodUnknown) return () => true
  if (schema instanceof z.ZodLiteral) return oneOf([...schema.values])
  if (schema instanceof z.ZodEnum) return oneOf(schema.options)
  if (schema instanceof z.ZodReadonly) return guardOf(schema.unwrap())
  if (schema instanceof z.ZodArray) return arrayOf(schema)
  if (schema instanceof z.ZodRecord) return recordOf(schema)
  if (schema instanceof z.ZodUnion) return anyOf(schema.options.map(guardOf))
  if (schema instanceof z.ZodObject) return fieldsOf(schema.shape)
  throw new TypeError(`no guard can be made of a schema like ${schema.constructor.name}`)
}

/**
 * An object with these fields and no others. That is stricter than a schema that drops what it does
 * not know; then the schema is asked.
 */
export const fieldsOf = (shape: Readonly<Record<string, z.core.$ZodType>>): Guard => {
  const required: Field[] = []
  const optional: Field[] = []
  for (const [name, schema] of Object.entries(shape)) {
    const isOptional = schema instanceof z.ZodOptional || schema instanceof z.ZodExactOptional
    if (isOptional) optional.push({ name, guard: guardOf(schema.unwrap()) })
    else required.push({ name, guard: guardOf(schema) })
  }
  return (value) => {
    if (!isRecord(value)) return false
    for (const { name, guard } of required) if (!guard(value[name])) return false
    let fields = required.length
    for (const { name, guard } of optional) {
      const field = value[name]
      if (field === undefined) continue
      if (!guard(field)) return false
      fields++
    }
    for (const _ in value) fields--
    return fields === 0
  }
}

interface Field {
  readonly name: string
  readonly guard: Guard
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const stringOf = (schema: z.ZodString): Guard => {
  const { minLength, maxLength, format } = schema
  expectChecks(schema, minLength === null ? 0 : 1)
  if (maxLength !== null || format !== null)
    throw new TypeError('only the length at least is known')
  const least = minLength ?? 0
  return (value) => typeof value === 'string' && value.length >= least
}

const numberOf = (schema: z.ZodNumber): Guard => {
  const { minValue, maxValue, isInt, format } = schema
  const least = minValue ?? -Infinity
  const whole = format === 'safeint'
  const bounded = Number.isFinite(least) && least !== Number.MIN_SAFE_INTEGER
  expectChecks(schema, bounded ? 1 : 0)
  const most = maxValue ?? Infinity
  if (isInt !== whole || (Number.isFinite(most) && most !== Number.MAX_SAFE_INTEGER)) {
    throw new TypeError('only whole numbers and a least value are known')
  }
  const isNumber = whole ? Number.isSafeInteger : Number.isFinite
  if (!bounded) return isNumber
  // The schema knows whether the bound itself is within.
  const within = schema.safeParse(least).success
  return (value) =>
    typeof value === 'number' && isNumber(value) && (value > least || (within && value === least))
}

const expectChecks = ({ def }: z.ZodType, understood: number): void => {
  const there = def.checks?.length ?? 0
  if (there !== understood) {
    throw new TypeError(`${there} checks on a ${def.type}; ${understood} of them are known`)
  }
}

const oneOf = (values: readonly unknown[]): Guard => {
  const [only] = values
  return values.length === 1 ? (value) => value === only : (value) => values.includes(value)
}

const anyOf =
  (guards: readonly Guard[]): Guard =>
  (value) => {
    for (const guard of guards) if (guard(value)) return true
    return false
  }

const arrayOf = (schema: z.ZodArray): Guard => {
  const guard = guardOf(schema.element)
  return (value) => {
    if (!Array.isArray(value)) return false
    for (const element of value) if (!guard(element)) return false
    return true
  }
}

const recordOf = (schema: z.ZodRecord): Guard => {
  const key = guardOf(schema.keyType)
  const guard = guardOf(schema.valueType)
  return (value) => {
    if (!isRecord(value)) return false
    for (const name in value) {
      // A field of this name is dropped by the schema.
      if (name === '__proto__' || !key(name) || !guard(value[name])) return false
    }
    return true
  }
}
