/**
 * Which transport the proxy runs on: the fastest that proves to work, which `node:net` always does, or
 * the one that the operator names.
 */
import { createHandleSockets } from './handle.ts'
import { netSockets } from './net.ts'
import { transportProblem } from './self-test.ts'
import type { Sockets } from './transport.ts'
import { createUringSockets } from './uring/uring.ts'

export type TransportSetting = 'auto' | Sockets['name']

export interface ChosenSockets {
  readonly sockets: Sockets
  /** Why it is not a faster one, although nobody asked for that. */
  readonly fellBackBecause?: string
}

/** A transport that may not be had everywhere. */
export interface Candidate {
  readonly name: Sockets['name']
  /** Undefined where it cannot be had. */
  readonly open: () => Sockets | undefined
  readonly needs: string
}

/** The fastest first. */
export const CANDIDATES: readonly Candidate[] = [
  {
    name: 'uring',
    open: createUringSockets,
    needs: 'a kernel that allows io_uring, 6.0 or newer, and a Node with node:ffi',
  },
  { name: 'handle', open: createHandleSockets, needs: 'a Node that gives out its socket handles' },
]

/** Throws when the transport that was asked for by name does not work here. */
export const chooseSockets = async (
  setting: TransportSetting,
  candidates: readonly Candidate[] = CANDIDATES,
): Promise<ChosenSockets> => {
  if (setting === 'net') return { sockets: netSockets }
  const reasons: string[] = []
  for (const { name, open, needs } of candidates) {
    if (setting !== 'auto' && setting !== name) continue
    const sockets = open()
    const problem = sockets === undefined ? `it needs ${needs}` : await transportProblem(sockets)
    if (sockets !== undefined && problem === undefined) {
      return { sockets, ...(reasons.length > 0 && { fellBackBecause: reasons.join('; ') }) }
    }
    reasons.push(`"${name}" does not work here: ${problem}`)
  }
  if (setting !== 'auto') throw new Error(`GATEHOUSE_TRANSPORT: ${reasons.join('; ')}`)
  return { sockets: netSockets, fellBackBecause: reasons.join('; ') }
}
