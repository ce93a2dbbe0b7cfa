/** The service that a reading verb was asked about, or a sentence with the nearest name. */
import { liveService, type Gateway, type Service } from '@gatehouse/domain'
import { nearMiss } from '../near-miss.ts'

export type FoundService = { readonly service: Service } | { readonly problem: string }

export const findService = (gateway: Gateway, name: string): FoundService => {
  const service = liveService(gateway, name)
  if (service !== undefined) return { service }
  const near = nearMiss(name, serviceNames(gateway))
  const hint = near === undefined ? '' : `; did you mean "${near}"?`
  return { problem: `there is no service "${name}"${hint}` }
}

/** Names of all services that are there, sorted. */
export const serviceNames = (gateway: Gateway): readonly string[] =>
  [...gateway.services.values()].flatMap(({ name, removed }) => (removed ? [] : [name])).toSorted()
