/** Services in columns, and back: with their releases, they are nearly all of a snapshot. */
import type { Service } from '@gatehouse/domain'
import { cell, listOf, oneOrMore, type OneOrMore } from './columns.ts'
import { createReleasePacker, unpackReleases, type PackedReleases } from './snapshot-releases.ts'

export interface PackedServices {
  readonly services: ServiceColumns
  readonly releases: PackedReleases
}

interface ServiceColumns {
  readonly name: string[]
  readonly version: number[]
  readonly hosts: OneOrMore[]
  readonly active: (number | null)[]
  readonly previous: (number | null)[]
  /** How many releases are its own; they lie in the order of their services. */
  readonly releases: number[]
  /** What few services have. */
  readonly more: [index: number, more: More][]
}

type More = Partial<Pick<Service, 'candidate' | 'drains' | 'traffic' | 'failure' | 'removed'>>

export const packServices = (services: Iterable<Service>): PackedServices => {
  const columns: ServiceColumns = {
    name: [],
    version: [],
    hosts: [],
    active: [],
    previous: [],
    releases: [],
    more: [],
  }
  const releases = createReleasePacker()
  for (const service of services) {
    const more = moreOf(service)
    if (Object.keys(more).length > 0) columns.more.push([columns.name.length, more])
    columns.name.push(service.name)
    columns.version.push(service.version)
    columns.hosts.push(oneOrMore(service.hosts))
    columns.active.push(service.active ?? null)
    columns.previous.push(service.previous ?? null)
    columns.releases.push(service.releases.length)
    for (const known of service.releases) releases.pack(known, service.hosts)
  }
  return { services: columns, releases: releases.packed }
}

const moreOf = ({ candidate, drains, traffic, failure, removed }: Service): More => ({
  ...(candidate === undefined ? {} : { candidate }),
  ...(drains.length === 0 ? {} : { drains }),
  ...(traffic.mode === 'running' ? {} : { traffic }),
  ...(failure === undefined ? {} : { failure }),
  ...(removed ? { removed } : {}),
})

/** Throws when a part is missing. */
export const unpackServices = ({ services, releases }: PackedServices): readonly Service[] => {
  const mores = new Map(services.more)
  const releasesFrom = unpackReleases(releases)
  let next = 0
  return services.name.map((name, index) => {
    const hosts = listOf(cell(services.hosts, index))
    const count = cell(services.releases, index)
    const own = releasesFrom(next, count, hosts)
    next += count
    const more = mores.get(index) ?? NOTHING_MORE
    // Field by field, so that all services share one shape, absent fields included.
    return {
      name,
      version: cell(services.version, index),
      releases: own,
      active: cell(services.active, index) ?? undefined,
      previous: cell(services.previous, index) ?? undefined,
      candidate: more.candidate,
      drains: more.drains ?? NO_DRAINS,
      traffic: more.traffic ?? RUNNING,
      hosts,
      failure: more.failure,
      removed: more.removed ?? false,
    }
  })
}

const NOTHING_MORE: More = {}
const NO_DRAINS: Service['drains'] = []
const RUNNING: Service['traffic'] = { mode: 'running' }
