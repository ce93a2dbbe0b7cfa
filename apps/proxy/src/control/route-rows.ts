/** The route table as people list it: a row per host and target. */
import { DEFAULT_HOST, type HostTable, type Route } from '@gatehouse/domain'
import type { DataPlane } from '../data-plane.ts'
import type { RouteRow } from './admin.ts'

export interface RouteRowsParts {
  readonly hosts: HostTable<{ readonly route: Route | undefined }>
  readonly work: DataPlane['work']
}

export const routeRows = ({ hosts, work }: RouteRowsParts): readonly RouteRow[] => {
  const inFlight = new Map(
    work().map(({ service, revision, requests, upgraded }) => [
      `${service} ${revision}`,
      requests + upgraded,
    ]),
  )
  const rowsOf = (host: string, route: Route | undefined): readonly RouteRow[] => {
    if (route === undefined) return []
    const { service, active, traffic } = route
    if (active === undefined) {
      return [
        { host, service, release: null, target: null, state: 'no active release', inFlight: 0 },
      ]
    }
    return active.release.targets.map(({ url }) => ({
      host,
      service,
      release: active.release.id,
      target: url,
      state:
        traffic.mode === 'running'
          ? active.ejected.includes(url)
            ? 'ejected'
            : 'active'
          : traffic.mode,
      inFlight: inFlight.get(`${service} ${active.revision}`) ?? 0,
    }))
  }
  return [
    ...[...hosts.exact].flatMap(([host, { route }]) => rowsOf(host, route)),
    ...[...hosts.wildcards].flatMap(([suffix, { route }]) => rowsOf(`*${suffix}`, route)),
    ...rowsOf(DEFAULT_HOST, hosts.fallback?.route),
  ].toSorted(
    (one, other) => one.host.localeCompare(other.host) || one.service.localeCompare(other.service),
  )
}
