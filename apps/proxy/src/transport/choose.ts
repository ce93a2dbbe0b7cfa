/**
 * Which transport the proxy runs on: libuv's handles where they prove to work, `node:net` otherwise,
 * or the one that the operator names.
 */
import { createHandleSockets } from './handle.ts'
import { netSockets } from './net.ts'
import { transportProblem } from './self-test.ts'
import type { Sockets } from './transport.ts'

export type TransportSetting = 'auto' | Sockets['name']

export interface ChosenSockets {
  readonly sockets: Sockets
  /** Why it is not the faster one, although nobody asked for that. */
  readonly fellBackBecause?: string
}

/** Throws when the transport that was asked for by name does not work here. */
export const chooseSockets = async (
  setting: TransportSetting,
  handleSockets: Sockets | undefined = createHandleSockets(),
): Promise<ChosenSockets> => {
  if (setting === 'net') return { sockets: netSockets }
  const problem =
    handleSockets === undefined
      ? `Node ${process.version} does not give out its socket handles`
      : await transportProblem(handleSockets)
  if (handleSockets !== undefined && problem === undefined) return { sockets: handleSockets }
  const reason = problem ?? 'unknown'
  if (setting === 'auto') return { sockets: netSockets, fellBackBecause: reason }
  throw new Error(`GATEHOUSE_TRANSPORT is "handle", which does not work here: ${reason}`)
}
