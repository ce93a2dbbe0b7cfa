/**
 * Which value answers for a host: the exact name first, then the longest wildcard suffix, then
 * `default`. The proxy holds its routes in one, and everybody who explains routing asks the same one.
 *
 * The table is changed in place, between requests: one thread needs no lock, and copying fifty
 * thousand hosts for every event would cost more than the event.
 */
import { DEFAULT_HOST, type HostPattern } from './host.ts'

export interface HostTable<Value> {
  readonly exact: Map<string, Value>
  /** Keyed by the suffix with its dot: `.example.com`. */
  readonly wildcards: Map<string, Value>
  fallback: Value | undefined
}

export const createHostTable = <Value>(): HostTable<Value> => ({
  exact: new Map(),
  wildcards: new Map(),
  fallback: undefined,
})

export const setHost = <Value>(
  table: HostTable<Value>,
  pattern: HostPattern,
  value: Value,
): void => {
  if (pattern === DEFAULT_HOST) table.fallback = value
  else if (pattern.startsWith('*.')) table.wildcards.set(pattern.slice(1), value)
  else table.exact.set(pattern, value)
}

/** Takes the pattern out, unless another value holds it by now. */
export const unsetHost = <Value>(
  table: HostTable<Value>,
  pattern: HostPattern,
  value: Value,
): void => {
  if (pattern === DEFAULT_HOST) {
    if (table.fallback === value) table.fallback = undefined
    return
  }
  const [names, key] = pattern.startsWith('*.')
    ? [table.wildcards, pattern.slice(1)]
    : [table.exact, pattern]
  if (names.get(key) === value) names.delete(key)
}

/** Leads the hosts that a value has now to it, and those that it no longer has nowhere. */
export const moveHosts = <Value>(
  table: HostTable<Value>,
  before: readonly HostPattern[],
  after: readonly HostPattern[],
  value: Value,
): void => {
  for (const host of before) if (!after.includes(host)) unsetHost(table, host, value)
  for (const host of after) setHost(table, host, value)
}

/** The value for a host in normal form (`hostOfAuthority`); `undefined` asks for the default. */
export const matchHost = <Value>(
  table: HostTable<Value>,
  host: string | undefined,
): Value | undefined => {
  if (host === undefined) return table.fallback
  const exact = table.exact.get(host)
  if (exact !== undefined) return exact
  if (table.wildcards.size > 0) {
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      const wildcard = table.wildcards.get(host.slice(dot))
      if (wildcard !== undefined) return wildcard
    }
  }
  return table.fallback
}
