/**
 * One number for a whole route table, so that proxies can be compared: at the same position they have
 * the same hash, or one of them is wrong. Every service's route is hashed by itself and the hashes are
 * XORed, so that an event costs the hash of its services, however many others there are.
 */
import { createHash } from 'node:crypto'
import type { RouteTable } from '@gatehouse/domain'

export interface TableHash {
  /** The route of the service may have changed. */
  readonly touch: (service: string) => void
  /** Sixteen hexadecimal digits. */
  readonly value: () => string
}

const HASH_BYTES = 8

export const createTableHash = ({ routes }: RouteTable): TableHash => {
  const known = new Map<string, Buffer>()
  const stale = new Set(routes.keys())
  const sum = Buffer.alloc(HASH_BYTES)
  const add = (hash: Buffer) => {
    for (let index = 0; index < HASH_BYTES; index++)
      sum[index] = (sum[index] ?? 0) ^ (hash[index] ?? 0)
  }
  const refresh = (service: string) => {
    const before = known.get(service)
    if (before !== undefined) add(before)
    const route = routes.get(service)
    if (route === undefined) {
      known.delete(service)
      return
    }
    // Routes are built field by field in one order, so that equal routes have equal texts.
    const hash = createHash('sha1').update(JSON.stringify(route)).digest().subarray(0, HASH_BYTES)
    known.set(service, hash)
    add(hash)
  }
  return {
    touch: (service) => stale.add(service),
    value: () => {
      for (const service of stale) refresh(service)
      stale.clear()
      return sum.toString('hex')
    },
  }
}
