import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createCodec, decode, encode } from './codec.ts'
import { guardOf } from './guard.ts'
import { envelopeSchema, eventSchemas } from './schemas.ts'
import { allExamples, EXAMPLES, meta } from './testing.ts'

const bodyOf = (parts: object): string =>
  JSON.stringify({
    type: 'ServicePaused',
    v: 1,
    data: { service: 'shop', holdMs: 5 },
    meta,
    ...parts,
  })

describe('the codec', () => {
  it.each(allExamples.map((event) => [event.type, event] as const))(
    'reads back %s as it was written',
    (_type, event) => {
      expect(decode(encode(event, meta))).toStrictEqual({ kind: 'event', event, meta })
    },
  )

  it('I12 keeps who did it, why, and what it answers', () => {
    const full = { ...meta, reason: 'hotfix', cause: 12, traceparent: '00-a-b-01' }
    expect(decode(encode(EXAMPLES.ServiceResumed[0], full))).toMatchObject({ meta: full })
  })

  it.each([
    ['half of an entry', '{"type":"Serv', 'unreadable', 'is not JSON'],
    ['an empty text', '', 'unreadable', 'is not JSON'],
    ['a list', '[]', 'unreadable', 'has no type, version, data and meta'],
    ['null', 'null', 'unreadable', 'has no type, version, data and meta'],
    ['no meta', bodyOf({ meta: undefined }), 'unreadable', 'has no type, version, data and meta'],
    ['half a version', bodyOf({ v: 1.5 }), 'unreadable', 'has no type, version, data and meta'],
    ['version 0', bodyOf({ v: 0 }), 'unreadable', 'has no type, version, data and meta'],
    [
      'an unknown type',
      bodyOf({ type: 'RolloutMoved' }),
      'RolloutMoved',
      'is of a type that is not known here',
    ],
    [
      'a name that every object has',
      bodyOf({ type: 'toString' }),
      'toString',
      'is of a type that is not known here',
    ],
    [
      'a newer version',
      bodyOf({ v: 2 }),
      'ServicePaused',
      'has version 2; 1 is the newest known here',
    ],
    [
      'a field of another type',
      bodyOf({ data: { service: 'shop', holdMs: '5' } }),
      'ServicePaused',
      /^has a bad holdMs: .*expected number/,
    ],
    [
      'a missing field',
      bodyOf({ data: { service: 'shop' } }),
      'ServicePaused',
      /^has a bad holdMs: /,
    ],
    [
      'a field too many',
      bodyOf({ data: { service: 'shop', holdMs: 5, more: 1 } }),
      'ServicePaused',
      /^has a bad shape: Unrecognized key: "more"$/,
    ],
  ])('L13 puts %s aside and says why', (_what, body, type, why) => {
    const decoded = decode(body)
    expect(decoded).toMatchObject({ kind: 'quarantined', type })
    expect(decoded.kind === 'quarantined' && decoded.why).toMatch(why)
  })

  it('names the place of what is wrong within a release', () => {
    const [event] = EXAMPLES.ReleaseDeclared
    const body = encode(event, meta).replace('"rise":2', '"rise":-2')
    expect(decode(body)).toMatchObject({
      why: expect.stringMatching(/bad release\.health\.rise: /),
    })
  })

  it('leaves out what newer programs say around an event', () => {
    const body = bodyOf({ signature: 'x', meta: { ...meta, region: 'eu' } })
    expect(decode(body)).toStrictEqual({
      kind: 'event',
      event: { type: 'ServicePaused', service: 'shop', holdMs: 5 },
      meta,
    })
  })

  it('gives equal settings of many releases one object', () => {
    const [event] = EXAMPLES.ReleaseDeclared
    const [one, other] = [decode(encode(event, meta)), decode(encode(event, meta))]
    if (one.kind !== 'event' || one.event.type !== 'ReleaseDeclared') throw new Error('not read')
    if (other.kind !== 'event' || other.event.type !== 'ReleaseDeclared')
      throw new Error('not read')
    expect(other.event.release.health).toBe(one.event.release.health)
    expect(other.event.release.limits).toBe(one.event.release.limits)
  })
})

describe('an older version', () => {
  const codec = createCodec({
    ServicePaused: [
      ({ holdSeconds, ...rest }) => ({ ...rest, hold: Number(holdSeconds) * 1_000 }),
      ({ hold, ...rest }) => {
        if (hold === 13_000) throw new RangeError('nobody waits for thirteen seconds')
        return { ...rest, holdMs: hold }
      },
    ],
  })
  const event = { type: 'ServicePaused', service: 'shop', holdMs: 5_000 }

  it.each([
    [1, { service: 'shop', holdSeconds: 5 }],
    [2, { service: 'shop', hold: 5_000 }],
    [3, { service: 'shop', holdMs: 5_000 }],
  ])('%i is brought up to date step by step', (v, data) => {
    expect(codec.decode(bodyOf({ v, data }))).toMatchObject({ kind: 'event', event })
  })

  it('is as strict as the newest one after that', () => {
    const body = bodyOf({ v: 2, data: { service: 'shop', hold: 5_000, more: 1 } })
    expect(codec.decode(body)).toMatchObject({ kind: 'quarantined', type: 'ServicePaused' })
  })

  it('that cannot be brought up to date is put aside', () => {
    const decoded = codec.decode(bodyOf({ v: 1, data: { service: 'shop', holdSeconds: 13 } }))
    expect(decoded).toMatchObject({
      kind: 'quarantined',
      why: 'cannot be brought from version 1 up to date: RangeError: nobody waits for thirteen seconds',
    })
  })

  it('is not what gets written: that is the newest', () => {
    expect(JSON.parse(codec.encode(EXAMPLES.ServicePaused[0], meta))).toMatchObject({ v: 3 })
    expect(JSON.parse(codec.encode(EXAMPLES.ServiceResumed[0], meta))).toMatchObject({ v: 1 })
  })
})

/** Values that a field of the wrong kind may have, and the edges of those of the right kind. */
const STRANGE = [
  undefined,
  null,
  '',
  'x',
  'infinity',
  'unlimited',
  0,
  -1,
  1.5,
  2 ** 53,
  Infinity,
  true,
  [],
  [''],
  [1],
  {},
  { __proto__: 1 },
]

/** The value with one thing in it changed, for every thing in it and every strange value. */
const changed = (value: unknown): readonly unknown[] => {
  if (typeof value !== 'object' || value === null) return STRANGE
  const list = Array.isArray(value)
  const withEntry = (name: string, entry: unknown): unknown =>
    list
      ? value.map((each: unknown, index) => (String(index) === name ? entry : each))
      : { ...value, [name]: entry }
  return [
    ...STRANGE,
    ...(list ? [[...value, 'more']] : [{ ...value, more: 1 }]),
    ...Object.entries(value).flatMap(([name, entry]) => [
      ...changed(entry).map((other) => withEntry(name, other)),
      ...(list ? [] : [Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))]),
    ]),
  ]
}

/** Where a guard says yes and its schema does not, and how often both say no. */
const compare = (schema: z.ZodType, values: readonly unknown[]) => {
  const guard = guardOf(schema)
  const refused = values.filter((value) => !schema.safeParse(value).success)
  const wrongYes = refused.filter(guard)
  return { wrongYes, no: refused.length - wrongYes.length }
}

describe('a guard', () => {
  it('says yes to every event that there is', () => {
    for (const event of allExamples) expect(guardOf(eventSchemas[event.type])(event)).toBe(true)
  })

  it('never says yes to what its schema refuses, whatever is changed in an event', () => {
    for (const event of allExamples) {
      const { wrongYes, no } = compare(eventSchemas[event.type], changed(event))
      expect(wrongYes).toStrictEqual([])
      expect(no).toBeGreaterThan(30)
    }
  })

  it('never says yes to what the schema of entries refuses', () => {
    const entry = { type: 'x', v: 1, data: { a: 1 }, meta: { ...meta, cause: 3 } }
    const { wrongYes, no } = compare(envelopeSchema, changed(entry))
    expect(wrongYes).toStrictEqual([])
    expect(no).toBeGreaterThan(30)
  })

  it('is not made of a schema that says more than is understood', () => {
    for (const schema of [
      z.string().max(3),
      z.string().regex(/x/),
      z.email(),
      z.number().max(3),
      z.int().multipleOf(2),
      z.int32(),
      z.array(z.string()).max(2),
      z.date(),
      z.string().nullable(),
      z.string().transform(Number),
      z.strictObject({ a: z.string() }).refine(() => false),
    ]) {
      expect(() => guardOf(schema)).toThrow(TypeError)
    }
  })
})
