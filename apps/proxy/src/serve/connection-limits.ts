/**
 * Which client connections are let in: so many in all, because each may cost memory, and so many from
 * one address, so that a single attacker cannot have them all. What is beyond is reset at once, the
 * newest first: whoever is served already goes on.
 */
import { isIPv6 } from 'node:net'
import type { Peer } from '../http/forward-head.ts'

/** `total`: the proxy has as many as it may. `address`: this client has. */
export type ConnectionRefusal = 'total' | 'address'

export interface ConnectionBounds {
  readonly clientConnectionsMax: number
  /** From one IPv4 address or IPv6 /64; trusted proxies in front of us may have more. */
  readonly clientConnectionsPerAddressMax: number
}

export class ConnectionLimits {
  readonly #bounds: ConnectionBounds
  readonly #perAddress = new Map<string, number>()
  #total = 0

  constructor(bounds: ConnectionBounds) {
    this.#bounds = bounds
  }

  /** Counts a connection, which must `leave` later; or says why it may not stay. */
  enter(peer: Peer): ConnectionRefusal | undefined {
    if (this.#total >= this.#bounds.clientConnectionsMax) return 'total'
    if (!peer.trusted) {
      const key = clientOf(peer.address)
      const held = this.#perAddress.get(key) ?? 0
      if (held >= this.#bounds.clientConnectionsPerAddressMax) return 'address'
      this.#perAddress.set(key, held + 1)
    }
    this.#total += 1
    return undefined
  }

  leave(peer: Peer): void {
    this.#total -= 1
    if (peer.trusted) return
    const key = clientOf(peer.address)
    const held = this.#perAddress.get(key) ?? 0
    if (held > 1) this.#perAddress.set(key, held - 1)
    else this.#perAddress.delete(key)
  }
}

/**
 * One client may use every address of a /64 (RFC 6177), so those count as one: `2001:db8:0:1::/64`.
 * The text is as the kernel gives it: groups without leading zeros, and at most one `::`.
 */
export const clientOf = (address: string): string => {
  if (!isIPv6(address)) return address
  const [left = '', right] = address.split('::')
  const groups = groupsOf(left)
  if (right !== undefined) {
    const tail = groupsOf(right)
    while (groups.length + tail.length < IPV6_GROUPS) groups.push('0')
    groups.push(...tail)
  }
  return `${groups.slice(0, IPV6_GROUPS / 2).join(':')}::/64`
}

const IPV6_GROUPS = 8

const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'))
