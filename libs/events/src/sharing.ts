/**
 * Most releases have the same settings, and fifty thousand copies of them would fill a proxy's memory:
 * equal ones are replaced by the one that came first. Only the last few different ones are remembered.
 */
import type { GatewayEvent, HealthCheck, Limits } from '@gatehouse/domain'

const REMEMBERED_MAX = 16

/** Returns the same event with shared settings. The event must be the caller's own: it is changed. */
export const createSharing = (): ((event: GatewayEvent) => GatewayEvent) => {
  const healths: HealthCheck[] = []
  const limits: Limits[] = []
  return (event) => {
    if (event.type !== 'ReleaseDeclared') return event
    const release: { health: HealthCheck; limits: Limits } = event.release
    release.health = sharedOf(healths, release.health)
    release.limits = sharedOf(limits, release.limits)
    return event
  }
}

const sharedOf = <Setting extends object>(known: Setting[], setting: Setting): Setting => {
  for (const each of known) if (isEqual(each, setting)) return each
  if (known.length >= REMEMBERED_MAX) known.shift()
  known.push(setting)
  return setting
}

/** Settings are flat. */
const isEqual = <Setting extends object>(one: Setting, other: Setting): boolean => {
  let fields = 0
  for (const name in one) {
    if (one[name] !== other[name]) return false
    fields++
  }
  for (const _ in other) fields--
  return fields === 0
}
