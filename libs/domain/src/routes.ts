/**
 * What a proxy needs to know to serve: per service its hosts, its active release, and which releases
 * drain. A route is derived from the service alone, so equal logs give equal tables, and an event
 * changes only the routes of the services it is about.
 */
import { servicesOf, type GatewayEvent } from './event.ts'
import { evolve } from './evolve.ts'
import {
  emptyGateway,
  releaseOf,
  type Drain,
  type Gateway,
  type Service,
  type Traffic,
} from './gateway.ts'
import type { HostPattern } from './host.ts'
import type { Release } from './release.ts'

export interface Route {
  readonly service: string
  readonly hosts: readonly HostPattern[]
  readonly traffic: Traffic
  /** Absent while nothing is active: requests are answered 503. */
  readonly active: ActiveRelease | undefined
  readonly drains: readonly Drain[]
}

export interface ActiveRelease {
  readonly revision: number
  readonly release: Release
  readonly ejected: readonly string[]
}

export interface RouteTable {
  readonly gateway: Gateway
  readonly routes: Map<string, Route>
}

export const emptyTable = (): RouteTable => tableOf(emptyGateway())

/** The table of a state that was read from a snapshot. */
export const tableOf = (gateway: Gateway): RouteTable => {
  const routes = new Map<string, Route>()
  for (const service of gateway.services.values()) {
    const route = routeOf(service)
    if (route !== undefined) routes.set(service.name, route)
  }
  return { gateway, routes }
}

/** Brings the table forward by one event, in place. Returns the services whose routes may differ. */
export const project = (table: RouteTable, event: GatewayEvent): readonly string[] => {
  evolve(table.gateway, event)
  const touched = servicesOf(event)
  for (const name of touched) {
    const service = table.gateway.services.get(name)
    const route = service === undefined ? undefined : routeOf(service)
    if (route === undefined) table.routes.delete(name)
    else table.routes.set(name, route)
  }
  return touched
}

/** The route of a service; undefined when nothing is to be known of it any more. */
export const routeOf = (service: Service): Route | undefined => {
  if (service.hosts.length === 0 && service.drains.length === 0) return undefined
  return {
    service: service.name,
    hosts: service.hosts,
    traffic: service.traffic,
    active: releaseOf(service, service.active),
    drains: service.drains,
  }
}
