/** What a service remembers of its past: a bounded number of releases, so that no state grows for ever. */
import { type Service } from './gateway.ts'

/** Retired, ready and failed releases that a service remembers, for `switch` and `rollback`. */
export const RELEASES_KEPT = 10

/** Forgets the oldest releases that are not in use; what drains, serves or is checked stays. */
export const withoutOld = (service: Service): Service => {
  const idle = service.releases.filter(
    (known) =>
      known.status !== 'active' &&
      known.status !== 'draining' &&
      known.revision !== service.candidate?.revision &&
      known.revision !== service.previous,
  )
  const forgotten = new Set(idle.slice(0, Math.max(0, idle.length - RELEASES_KEPT)))
  return forgotten.size === 0
    ? service
    : { ...service, releases: service.releases.filter((known) => !forgotten.has(known)) }
}

/** A removed service is gone for good once nothing of it is at work. */
export const isForgotten = (service: Service): boolean =>
  service.removed && service.drains.length === 0 && service.candidate === undefined
