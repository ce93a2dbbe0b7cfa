/** Work in flight as the proxies report it, counted over the fleet. Pure. */
import type { Fleet } from '@gatehouse/events'

/** What one proxy still holds. */
export interface ServiceWork {
  readonly proxy: string
  readonly requests: number
  /** Upgraded connections, such as WebSockets. */
  readonly upgraded: number
}

type Proxies = Pick<Fleet, 'proxies'>

/** The work of one release, on the proxies that hold any. */
export const workOf = (fleet: Proxies, service: string, revision: number): readonly ServiceWork[] =>
  counted(fleet, (work) => work.service === service && work.revision === revision)

/** The work of all releases of a service. */
export const workOfService = (fleet: Proxies, service: string): readonly ServiceWork[] =>
  counted(fleet, (work) => work.service === service)

export const totalOf = (busy: readonly ServiceWork[]): { requests: number; upgraded: number } => ({
  requests: busy.reduce((sum, { requests }) => sum + requests, 0),
  upgraded: busy.reduce((sum, { upgraded }) => sum + upgraded, 0),
})

/** `3 requests and 1 upgraded connection on proxy-1, proxy-2` */
export const sayWork = (busy: readonly ServiceWork[]): string => {
  const { requests, upgraded } = totalOf(busy)
  const parts = [
    ...(requests > 0 || upgraded === 0
      ? [`${requests} ${requests === 1 ? 'request' : 'requests'}`]
      : []),
    ...(upgraded > 0
      ? [`${upgraded} upgraded ${upgraded === 1 ? 'connection' : 'connections'}`]
      : []),
  ]
  return `${parts.join(' and ')} on ${busy.map(({ proxy }) => proxy).join(', ') || 'no proxy'}`
}

/** A proxy whose lease ran out is somebody else's to report: it can no longer tell us what it holds. */
const counted = (
  fleet: Proxies,
  counts: (work: Fleet['proxies'][number]['work'][number]) => boolean,
): readonly ServiceWork[] =>
  fleet.proxies
    .filter((proxy) => proxy.live)
    .map((proxy) => {
      const work = proxy.work.filter(counts)
      return {
        proxy: proxy.id,
        requests: work.reduce((sum, each) => sum + each.requests, 0),
        upgraded: work.reduce((sum, each) => sum + each.upgraded, 0),
      }
    })
    .filter(({ requests, upgraded }) => requests + upgraded > 0)
