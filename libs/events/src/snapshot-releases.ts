/** Releases in columns, and back. What releases have in common is written once, and has a number. */
import type { KnownRelease, Release } from '@gatehouse/domain'
import { cell, listOf, oneOrMore, type OneOrMore } from './columns.ts'

export interface PackedReleases {
  readonly settings: Settings[]
  /** The number of its settings. */
  readonly setting: number[]
  readonly revision: number[]
  readonly id: string[]
  readonly targets: OneOrMore[]
  readonly metadata: (Release['metadata'] | null)[]
  /** What few releases have. */
  readonly more: [index: number, more: More][]
}

type Settings = Pick<Release, 'health' | 'drainMs' | 'limits' | 'hostHeader'> &
  Pick<KnownRelease, 'status' | 'drained'>

interface More extends Pick<Release, 'timeouts' | 'ingress' | 'tls'> {
  /** Where they are not those of the service. */
  readonly hosts?: readonly string[]
  readonly ejected?: readonly string[]
}

export interface ReleasePacker {
  readonly packed: PackedReleases
  readonly pack: (known: KnownRelease, hostsOfService: readonly string[]) => void
}

export const createReleasePacker = (): ReleasePacker => {
  const packed: PackedReleases = {
    settings: [],
    setting: [],
    revision: [],
    id: [],
    targets: [],
    metadata: [],
    more: [],
  }
  const numberOf = createNumbering(packed.settings)
  return {
    packed,
    pack: ({ revision, release, status, ejected, drained }, hostsOfService) => {
      const { id, hosts, targets, health, drainMs, limits, hostHeader, metadata } = release
      const { timeouts, ingress, tls } = release
      const more: More = {
        ...(isSame(hosts, hostsOfService) ? {} : { hosts }),
        ...(ejected.length === 0 ? {} : { ejected }),
        ...(timeouts === undefined ? {} : { timeouts }),
        ...(ingress === undefined ? {} : { ingress }),
        ...(tls === undefined ? {} : { tls }),
      }
      if (!isEmpty(more)) packed.more.push([packed.id.length, more])
      packed.setting.push(numberOf({ health, drainMs, limits, hostHeader, status, drained }))
      packed.revision.push(revision)
      packed.id.push(id)
      packed.targets.push(oneOrMore(targets.map(({ url }) => url)))
      packed.metadata.push(isEmpty(metadata) ? null : metadata)
    },
  }
}

/** Numbers settings by what they say, and adds those that are new. */
const createNumbering = (settings: Settings[]): ((of: Settings) => number) => {
  const numbers = new Map<string, number>()
  const texts = new Map<object, string>()
  // Most releases hold the very same objects, so most texts are known.
  const textOf = (setting: object): string => {
    const known = texts.get(setting)
    if (known !== undefined) return known
    const text = JSON.stringify(setting)
    texts.set(setting, text)
    return text
  }
  return (of) => {
    const { health, drainMs, limits, hostHeader, status, drained } = of
    const own = JSON.stringify([drainMs, hostHeader, status, drained])
    const key = `${textOf(health)}${textOf(limits)}${own}`
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, settings.length)
    return settings.push(of) - 1
  }
}

const isEmpty = (fields: object): boolean => Object.keys(fields).length === 0

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one === other ||
  (one.length === other.length && one.every((host, index) => host === other[index]))

/** So many releases, from an index on, of a service with these hosts. Throws when a part is missing. */
export type ReleasesFrom = (
  start: number,
  count: number,
  hostsOfService: readonly string[],
) => readonly KnownRelease[]

export const unpackReleases = (packed: PackedReleases): ReleasesFrom => {
  const mores = new Map(packed.more)
  const releaseAt = (index: number, hostsOfService: readonly string[]): KnownRelease => {
    const shared = cell(packed.settings, cell(packed.setting, index))
    const more = mores.get(index) ?? NOTHING_MORE
    return {
      revision: cell(packed.revision, index),
      release: {
        id: cell(packed.id, index),
        hosts: more.hosts ?? hostsOfService,
        targets: listOf(cell(packed.targets, index)).map((url) => ({ url })),
        health: shared.health,
        drainMs: shared.drainMs,
        limits: shared.limits,
        hostHeader: shared.hostHeader,
        metadata: cell(packed.metadata, index) ?? NO_METADATA,
        ...(more.timeouts === undefined ? NOTHING_MORE : { timeouts: more.timeouts }),
        ...(more.ingress === undefined ? NOTHING_MORE : { ingress: more.ingress }),
        ...(more.tls === undefined ? NOTHING_MORE : { tls: more.tls }),
      },
      status: shared.status,
      ejected: more.ejected ?? NONE_EJECTED,
      drained: shared.drained,
    }
  }
  return (start, count, hostsOfService) =>
    // A list that is filled one by one has room for many, fifty thousand times.
    count === 1
      ? [releaseAt(start, hostsOfService)]
      : Array.from({ length: count }, (_, offset) => releaseAt(start + offset, hostsOfService))
}

const NOTHING_MORE: More = {}
const NO_METADATA: Release['metadata'] = {}
const NONE_EJECTED: KnownRelease['ejected'] = []
