/**
 * The listening sockets of one proxy. `up` binds them and never accepts from them: it hands them down,
 * and a process that succeeds another gets the very same ones, with the connections that wait in their
 * queues. A socket that closed with its process would reset those.
 */
import { lookup } from 'node:dns/promises'
import { BoundSocket } from 'node:net'
import { sayAddress, type Address } from './settings.ts'

export interface SocketPlace {
  /** What the process that gets it calls it. */
  readonly name: 'traffic' | 'tls' | 'admin'
  readonly address: Address
  /** Others bind the same address, and the system spreads new connections over them. */
  readonly shared: boolean
}

export interface HeldSockets {
  /** The sockets to hand down, in order; bound now unless they are held. Throws when one cannot be had. */
  readonly hold: () => readonly HeldSocket[]
  /** Lets go. What waits in their queues is reset, and new connections go to others, or are refused. */
  readonly release: () => void
}

export interface HeldSocket {
  readonly name: SocketPlace['name']
  readonly fd: number
}

export const holdSockets = (places: readonly SocketPlace[]): HeldSockets => {
  let held: readonly (HeldSocket & { readonly socket: BoundSocket })[] = []
  const release = (): void => {
    for (const { socket } of held) socket.close()
    held = []
  }
  return {
    hold: () => {
      for (const place of places.slice(held.length)) {
        try {
          const socket = bind(place)
          held = [...held, { name: place.name, fd: socket.fd(), socket }]
        } catch (error) {
          release()
          throw error
        }
      }
      return held
    },
    release,
  }
}

/** The address with its host as a number, which is all that can be bound without waiting. */
export const resolved = async ({ host, port }: Address): Promise<Address> => ({
  host: (await lookup(host)).address,
  port,
})

const bind = ({ address, shared }: SocketPlace): BoundSocket => {
  try {
    return new BoundSocket({ ...address, reusePort: shared })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${sayAddress(address)} cannot be bound: ${why}`, { cause })
  }
}
