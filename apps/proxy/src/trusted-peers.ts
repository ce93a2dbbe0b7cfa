/** The proxies in front of us whose word about the client is believed. */
import { BlockList, isIP } from 'node:net'

/** Throws when a range is not an IP address, or one with a prefix length (`10.0.0.0/8`). */
export const createTrust = (ranges: readonly string[]): ((address: string) => boolean) => {
  if (ranges.length === 0) return () => false
  const list = new BlockList()
  for (const range of ranges) add(list, range)
  return (address) => {
    const family = isIP(address)
    return family !== 0 && list.check(address, familyName(family))
  }
}

const add = (list: BlockList, range: string): void => {
  const [address = '', prefix] = range.split('/')
  const family = isIP(address)
  const bits = family === 4 ? 32 : 128
  const length = prefix === undefined ? bits : Number(prefix)
  const valid = family !== 0 && /^\d{1,3}$/.test(prefix ?? '0') && length <= bits
  if (!valid) {
    throw new Error(`"${range}" is not a range of addresses; expected one such as 10.0.0.0/8`)
  }
  list.addSubnet(address, length, familyName(family))
}

const familyName = (family: number): 'ipv4' | 'ipv6' => (family === 6 ? 'ipv6' : 'ipv4')
