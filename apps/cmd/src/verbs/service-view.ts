/** What `list` and `show` say of a service: the state, with the fleet's counts and the drains' ends. */
import { releaseOf, type Gateway, type Service } from '@gatehouse/domain'
import type { EventLog, Fleet } from '@gatehouse/events'
import { totalOf, workOf } from '../wait/work.ts'
import { newest } from './happened.ts'
import { sayFailure } from './say-event.ts'

export interface ServiceView {
  readonly service: string
  readonly version: number
  readonly hosts: readonly string[]
  readonly state: ServiceState
  readonly active: string | undefined
  readonly targets: readonly string[]
  readonly candidate: string | undefined
  readonly draining: readonly DrainView[]
  /** Why the last deploy or switch failed; what was active before still is. */
  readonly failure: string | undefined
  /** Removed, and only here until its last drain has ended. */
  readonly removed: boolean
}

export type ServiceState = 'running' | 'paused' | 'stopped' | 'failed' | 'idle' | 'removed'

export interface DrainView {
  readonly release: string
  readonly revision: number
  readonly generation: number
  /** ISO time; `infinity` when it ends by itself only, absent when its start is too long ago to know. */
  readonly deadline: string | undefined
  readonly requests: number
  readonly upgraded: number
}

/** When each drain of the fleet began: generation → time by the Redis clock. */
export type DrainStarts = ReadonlyMap<number, number>

/** Reads back from the log when the drains that still go on began. */
export const drainStarts = async (log: EventLog, gateway: Gateway): Promise<DrainStarts> => {
  const open = new Set(
    [...gateway.services.values()].flatMap(({ drains }) => drains.map((each) => each.generation)),
  )
  if (open.size === 0) return new Map()
  const started = await newest(log, {
    limit: open.size,
    matches: (recorded) =>
      recorded.kind === 'event' &&
      recorded.event.type === 'DrainStarted' &&
      open.has(recorded.event.generation),
  })
  return new Map(
    started.flatMap((recorded) =>
      recorded.kind === 'event' && recorded.event.type === 'DrainStarted'
        ? [[recorded.event.generation, recorded.at] as const]
        : [],
    ),
  )
}

export const viewOf = (service: Service, fleet: Fleet, starts: DrainStarts): ServiceView => {
  const active = releaseOf(service, service.active)
  const { failure } = service
  return {
    service: service.name,
    version: service.version,
    hosts: service.hosts,
    state: stateOf(service),
    active: active?.release.id,
    targets: active?.release.targets.map(({ url }) => url) ?? [],
    candidate: releaseOf(service, service.candidate?.revision)?.release.id,
    draining: service.drains.map(({ revision, generation, drainMs }) => {
      const startedAt = starts.get(generation)
      return {
        release: releaseOf(service, revision)?.release.id ?? '',
        revision,
        generation,
        deadline:
          drainMs === 'infinity'
            ? 'infinity'
            : startedAt === undefined
              ? undefined
              : new Date(startedAt + drainMs).toISOString(),
        ...totalOf(workOf(fleet, service.name, revision)),
      }
    }),
    failure:
      failure === undefined ? undefined : `${failure.release}: ${sayFailure(failure.failure)}`,
    removed: service.removed,
  }
}

const stateOf = (service: Service): ServiceState => {
  if (service.removed) return 'removed'
  if (service.traffic.mode !== 'running') return service.traffic.mode
  if (service.failure !== undefined) return 'failed'
  return service.active === undefined ? 'idle' : 'running'
}
