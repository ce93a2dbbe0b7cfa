/**
 * The fields of a spec, whoever wrote them. A file nests them and may write snake_case or camelCase, a
 * command line has flags; here both become one flat list, in which every field still knows the name
 * it was written under and its line, so that an error can point at it.
 */
import { didYouMean } from '../near-miss.ts'
import { described } from './duration.ts'
import { isRecord } from './readers.ts'

/** Every field there is, under its place in the nested form. */
export type FieldName = (typeof FIELD_NAMES)[number]

export const FIELD_NAMES = [
  'service',
  'hosts',
  'targets',
  'target_id',
  'metadata',
  'drain_timeout',
  'host_header',
  'timeouts',
  'force_https',
  'hsts',
  'canonical_host',
  'tls.mode',
  'tls.cert',
  'tls.key',
  'tls.client_ca',
  'tls.verify',
  'tls.server_name',
  'health.skip',
  'health.path',
  'health.method',
  'health.grpc',
  'health.host',
  'health.status',
  'health.timeout',
  'health.interval',
  'health.attempt_timeout',
  'health.rise',
  'health.fall',
  'health.require',
  'balance.policy',
  'balance.health',
  'limits.connect_timeout',
  'limits.response_timeout',
  'limits.idle_timeout',
  'limits.upgraded_idle_timeout',
  'limits.max_request_body',
  'limits.max_websocket_message',
  'limits.max_connections',
  'limits.max_queue',
] as const

/** Short names at the top level, for those who write flat specs. */
const ALIASES: Readonly<Record<string, FieldName>> = {
  target_url: 'targets',
  health_path: 'health.path',
  health_timeout: 'health.timeout',
  skip_health_check: 'health.skip',
}

const SECTIONS = ['health', 'balance', 'limits', 'tls'] as const

export interface Field {
  readonly value: unknown
  /** How its owner calls it: `health_timeout`, `health.timeout`, `--deploy-timeout`. */
  readonly written: string
  /** The file, or nothing for a command line. */
  readonly file?: string
  /** The line of the field, or of the part of it that a path leads to. */
  readonly lineOf?: (within: readonly (string | number)[]) => number | undefined
}

export type Fields = ReadonlyMap<FieldName, Field>

/** The fields that could be told, and what is wrong with the rest. */
export interface Flattened {
  readonly fields: Fields
  readonly problems: readonly string[]
}

export interface SpecSource {
  readonly file: string
  readonly lineOf: (path: readonly (string | number)[]) => number | undefined
}

/** Flattens what a file holds. All problems are found, not just the first. */
export const fieldsOfFile = (spec: unknown, source: SpecSource): Flattened => {
  if (!isRecord(spec)) {
    return noFields(
      `${source.file}: found ${described(spec)}; expected an object with service, hosts and target_url`,
    )
  }
  const fields = new Map<FieldName, Field>()
  const problems: string[] = []
  const take = (path: readonly string[], name: FieldName, value: unknown): void => {
    const written = path.join('.')
    const same = fields.get(name)
    if (same !== undefined) {
      problems.push(`${whereIs(source, path)}: means the same as ${same.written}; give one of them`)
      return
    }
    // `null` is how YAML writes a field without a value: it counts as not given.
    if (value === null) return
    fields.set(name, {
      value: name === 'targets' && path[0] !== 'targets' ? [value] : value,
      written,
      file: source.file,
      lineOf: (within) => source.lineOf([...path, ...within]) ?? source.lineOf(path),
    })
  }
  for (const [key, value] of Object.entries(spec)) {
    const name = snakeCase(key)
    const section = SECTIONS.find((each) => each === name)
    const leaf = ALIASES[name] ?? FIELD_NAMES.find((each) => each === name)
    if (leaf !== undefined) take([key], leaf, value)
    else if (section === undefined) {
      problems.push(unknownField(source, [key], TOP_LEVEL_NAMES))
    } else if (isRecord(value)) {
      for (const [inner, nested] of Object.entries(value)) {
        const full = `${section}.${snakeCase(inner)}`
        const known = FIELD_NAMES.find((each) => each === full)
        if (known === undefined) {
          problems.push(unknownField(source, [key, inner], namesWithin(section)))
        } else take([key, inner], known, nested)
      }
    } else if (section === 'tls' && !Array.isArray(value)) {
      // `tls: auto` is short for `tls: { mode: auto }`.
      take([key], 'tls.mode', value)
    } else if (value !== null) {
      problems.push(
        `${whereIs(source, [key])}: found ${described(value)}; expected an object with ${namesWithin(section).join(', ')}`,
      )
    }
  }
  return { fields, problems }
}

/** Nothing could be told, and why. */
export const noFields = (problem: string): Flattened => ({ fields: new Map(), problems: [problem] })

/** `spec.json:4: health.path`, the beginning of every sentence about a field of a file. */
export const whereIs = (
  source: { readonly file: string; readonly lineOf: SpecSource['lineOf'] },
  path: readonly (string | number)[],
): string => {
  const line = source.lineOf(path)
  return `${source.file}${line === undefined ? '' : `:${line}`}: ${sayPath(path)}`
}

/** `targets[0].url` */
export const sayPath = (path: readonly (string | number)[]): string =>
  path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`,
    )
    .join('')

const namesWithin = (section: string): readonly string[] =>
  FIELD_NAMES.filter((name) => name.startsWith(`${section}.`)).map((name) =>
    name.slice(section.length + 1),
  )

const TOP_LEVEL_NAMES = [
  ...FIELD_NAMES.filter((name) => !name.includes('.')),
  ...Object.keys(ALIASES),
  ...SECTIONS,
]

const unknownField = (
  source: SpecSource,
  path: readonly string[],
  known: readonly string[],
): string => {
  const key = path.at(-1) ?? ''
  // Somebody who writes camelCase is answered in it.
  const style = /[A-Z]/.test(key) ? camelCase : (name: string) => name
  const near = didYouMean(key, known.map(style))
  const hint = near === '' ? `; expected one of ${known.map(style).join(', ')}` : near
  return `${whereIs(source, path)}: unknown field${hint}`
}

const snakeCase = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const camelCase = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
