/**
 * How one value of a spec is read. Every reader answers with the value or with a clause that says what
 * was found and what was expected; the schema only puts them together.
 */
import {
  HSTS_SECONDS_MAX,
  parseHostPattern,
  parseTarget,
  type HostPattern,
  type Target,
} from '@gatehouse/domain'
import { didYouMean } from '../near-miss.ts'
import { described, parseDuration } from './duration.ts'
import { parseSize } from './size.ts'

export type Reading<Value> =
  | { readonly value: Value }
  | { readonly problem: string; readonly at?: readonly (string | number)[] }

export type Reader<Value> = (raw: unknown) => Reading<Value>

/** The folder that a relative `unix:` path is relative to is put in before targets are read. */
export const text =
  (expected: string): Reader<string> =>
  (raw) =>
    typeof raw === 'string' && raw.trim() !== ''
      ? { value: raw.trim() }
      : typeof raw === 'number'
        ? { value: String(raw) }
        : found(raw, expected)

export const flag: Reader<boolean> = (raw) =>
  typeof raw === 'boolean' ? { value: raw } : found(raw, 'true or false')

/** The service that a gRPC server is asked about: '' for all of it, undefined for no such check. */
export const grpcService: Reader<string | undefined> = (raw) => {
  if (typeof raw === 'boolean') return { value: raw ? '' : undefined }
  return text('true, or the name of a service such as "shop.v1.Cart"')(raw)
}

export const count =
  (min: number, max: number): Reader<number> =>
  (raw) =>
    typeof raw === 'number' && Number.isInteger(raw) && raw >= min && raw <= max
      ? { value: raw }
      : found(raw, `a whole number from ${min} to ${max}`)

export const oneOf =
  <Word extends string>(...words: readonly Word[]): Reader<Word> =>
  (raw) => {
    const word = words.find((each) => each === raw)
    if (word !== undefined) return { value: word }
    const near = typeof raw === 'string' ? didYouMean(raw, words) : ''
    return { problem: `found ${described(raw)}; expected ${listed(words)}${near}` }
  }

export const duration: Reader<number> = (raw) => {
  const parsed = parseDuration(raw)
  return 'ms' in parsed ? { value: parsed.ms } : parsed
}

export const positiveDuration: Reader<number> = (raw) => {
  const parsed = duration(raw)
  return 'value' in parsed && parsed.value === 0 ? found(raw, 'more than no time at all') : parsed
}

/** How long browsers shall remember something, in seconds: a bare number could be either unit. */
export const hstsSeconds: Reader<number> = (raw) => {
  if (raw === true) return { value: HSTS_SECONDS_DEFAULT }
  if (typeof raw !== 'string' || /^\s*\d+\s*$/.test(raw)) {
    return found(raw, 'a duration with its unit such as "365d", or true for a year')
  }
  const parsed = parseDuration(raw, HSTS_SECONDS_MAX * 1_000)
  return 'ms' in parsed ? { value: Math.floor(parsed.ms / 1_000) } : parsed
}

const HSTS_SECONDS_DEFAULT = 31_536_000

export const drainDuration: Reader<number | 'infinity'> = (raw) => {
  if (typeof raw === 'string' && raw.trim().toLowerCase() === 'infinity') {
    return { value: 'infinity' }
  }
  const parsed = duration(raw)
  return 'value' in parsed ? parsed : { problem: `${parsed.problem}, or "infinity"` }
}

export const size: Reader<number | 'unlimited'> = (raw) => {
  const parsed = parseSize(raw)
  return 'bytes' in parsed ? { value: parsed.bytes } : parsed
}

export interface StatusRange {
  readonly min: number
  readonly max: number
}

/** `200-399`, or a single status. */
export const statusRange: Reader<StatusRange> = (raw) => {
  const match =
    typeof raw === 'string' || typeof raw === 'number'
      ? /^\s*([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?\s*$/.exec(String(raw))
      : null
  const min = Number(match?.[1])
  const max = Number(match?.[2] ?? match?.[1])
  return match !== null && min <= max
    ? { value: { min, max } }
    : found(raw, 'a status or a range of them such as "200-399"')
}

export const path: Reader<string> = (raw) =>
  typeof raw === 'string' && raw.startsWith('/')
    ? { value: raw }
    : found(raw, 'a path that starts with /, such as "/up"')

/** One host in normal form. */
export const hostName: Reader<HostPattern> = (raw) => {
  if (typeof raw !== 'string') return found(raw, 'a host name')
  const parsed = parseHostPattern(raw)
  return 'problem' in parsed ? parsed : { value: parsed.pattern }
}

/** Normal form, each once, in the order given; blank ones are dropped. */
export const hostList: Reader<readonly HostPattern[]> = (raw) => {
  if (!Array.isArray(raw)) return found(raw, 'a list of host names, such as ["app.example.com"]')
  const hosts = new Set<HostPattern>()
  for (const [index, each] of raw.entries()) {
    if (typeof each !== 'string') return { ...found(each, 'a host name'), at: [index] }
    if (each.trim() === '') continue
    const parsed = parseHostPattern(each)
    if ('problem' in parsed) return { problem: parsed.problem, at: [index] }
    hosts.add(parsed.pattern)
  }
  return hosts.size === 0
    ? { problem: 'found no host name; expected at least one, such as "app.example.com"' }
    : { value: [...hosts] }
}

/** Those that are flagged active; all of them when none is. */
export const targetList: Reader<readonly Target[]> = (raw) => {
  if (!Array.isArray(raw)) return found(raw, 'a list of URLs, such as ["http://10.0.0.5:3000"]')
  if (raw.length === 0) return found(raw, 'at least one URL')
  const targets: { url: string; active: boolean }[] = []
  for (const [index, each] of raw.entries()) {
    const target = oneTarget(each)
    if ('problem' in target) return { ...target, at: [index, ...(target.at ?? [])] }
    targets.push(target.value)
  }
  const flagged = targets.filter((target) => target.active)
  const urls = (flagged.length > 0 ? flagged : targets).map((target) => target.url)
  return { value: [...new Set(urls)].map((url) => ({ url })) }
}

/** Numbers and flags become text, since labels are only shown. */
export const labels: Reader<Readonly<Record<string, string>>> = (raw) => {
  if (!isRecord(raw)) return found(raw, 'an object of labels, such as {"version": "1.4.2"}')
  const read: Record<string, string> = {}
  for (const [key, each] of Object.entries(raw)) {
    if (typeof each !== 'string' && typeof each !== 'number' && typeof each !== 'boolean') {
      return { ...found(each, 'text, a number, true or false'), at: [key] }
    }
    read[key] = String(each)
  }
  return { value: read }
}

export const isRecord = (raw: unknown): raw is Readonly<Record<string, unknown>> =>
  typeof raw === 'object' && raw !== null && !Array.isArray(raw)

const oneTarget = (raw: unknown): Reading<{ url: string; active: boolean }> => {
  if (typeof raw === 'string') return targetAt(raw, false)
  if (!isRecord(raw)) return found(raw, 'a URL, or {"url": …, "active": true}')
  const { url, active, ...rest } = raw
  const unknown = Object.keys(rest)[0]
  if (unknown !== undefined) {
    const near = didYouMean(unknown, ['url', 'active'])
    return { problem: `unknown field; expected url or active${near}`, at: [unknown] }
  }
  if (typeof url !== 'string') return { ...found(url, 'a URL'), at: ['url'] }
  if (active !== undefined && typeof active !== 'boolean') {
    return { ...found(active, 'true or false'), at: ['active'] }
  }
  return targetAt(url, active === true)
}

const targetAt = (url: string, active: boolean): Reading<{ url: string; active: boolean }> => {
  const parsed = parseTarget(url)
  return 'problem' in parsed ? { problem: parsed.problem } : { value: { url: parsed.url, active } }
}

export const found = (raw: unknown, expected: string): { readonly problem: string } => ({
  problem: `found ${described(raw)}; expected ${expected}`,
})

const listed = (words: readonly string[]): string =>
  words.map((word) => `"${word}"`).join(words.length === 2 ? ' or ' : ', ')
