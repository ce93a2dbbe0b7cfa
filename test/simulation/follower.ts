/** Somebody who follows the log at their own pace: a proxy, a worker, or a command that is about to decide. */
import {
  emptyGateway,
  servedOf,
  type Certificate,
  type Gateway,
  type RouteTable,
  type Service,
} from '@gatehouse/domain'
import { follow, routingOf, type Routing } from '../../libs/domain/src/testing.ts'
import { canonical } from './canonical.ts'
import { type SimulatedLog } from './log.ts'

export interface Follower extends Routing {
  table: RouteTable
  hosts: Routing['hosts']
  position: number
}

export interface Snapshot {
  readonly position: number
  readonly text: string
}

interface StoredGateway {
  readonly generation: number
  readonly services: [string, Service][]
  readonly owners: [string, string][]
  readonly certificates: [string, Certificate][]
}

export const createFollower = (): Follower => ({ ...routingOf(emptyGateway()), position: 0 })

/** Applies the next event; false when there is none. */
export const advance = (follower: Follower, log: SimulatedLog): boolean => {
  const event = log.events[follower.position]
  if (event === undefined) return false
  follow(follower, event)
  follower.position += 1
  return true
}

export const advanceTo = (follower: Follower, log: SimulatedLog, position: number): void => {
  while (follower.position < position && advance(follower, log));
}

export const snapshotOf = (follower: Follower): Snapshot => ({
  position: follower.position,
  text: textOf(follower.table.gateway),
})

/** Starts again from what a snapshot says, as a process does that has lost its memory. */
export const restart = (follower: Follower, snapshot: Snapshot | undefined): void => {
  const gateway = snapshot === undefined ? emptyGateway() : gatewayOf(snapshot.text)
  Object.assign(follower, routingOf(gateway))
  follower.position = snapshot?.position ?? 0
}

/** The whole state as text, the same for equal states. */
export const textOf = ({ generation, services, owners, certificates }: Gateway): string =>
  canonical({
    generation,
    services: [...services].toSorted(byName),
    owners: [...owners].toSorted(byName),
    certificates: [...certificates].toSorted(byName),
  })

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : 1

const gatewayOf = (text: string): Gateway => {
  // Written by `textOf` a moment ago: a test needs no second reading of its own text.
  const read: StoredGateway = JSON.parse(text)
  return {
    generation: read.generation,
    services: new Map(read.services),
    owners: new Map(read.owners),
    certificates: new Map(read.certificates),
  }
}

/** What the table does to requests, as short text: equal tables have equal digests. */
export const digestOf = ({ table: { routes, gateway }, hosts }: Routing): string => {
  const lines = [...routes.values()].map((route) => {
    const { service, hosts: own, traffic, active, drains } = route
    return canonical([service, own, traffic, active?.revision, active?.ejected, drains])
  })
  for (const certificate of gateway.certificates.values()) {
    const { name, order } = certificate
    lines.push(canonical([name, servedOf(certificate), order?.challenges]))
  }
  const entries = [...hosts.exact, ...hosts.wildcards, ['default', hosts.fallback] as const]
  for (const [host, service] of entries) {
    if (service !== undefined) lines.push(`${host} > ${service}`)
  }
  return lines.toSorted().join('\n')
}
