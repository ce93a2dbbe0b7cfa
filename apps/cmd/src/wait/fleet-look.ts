/** Looking at the fleet while waiting: a Redis that is away for a moment is waited for as well. */
import { ControlPlaneUnreachable, type Fleet } from '@gatehouse/events'
import type { Session } from '../session.ts'

export interface FleetLook {
  /** The fleet now, or undefined while Redis cannot be reached. */
  readonly look: () => Promise<Fleet | undefined>
  /** Throws when the last look failed: called at a deadline, since the wait then ends for that reason. */
  readonly insist: () => void
}

export const createFleetLook = ({ readFleet, output }: Session): FleetLook => {
  let trouble: ControlPlaneUnreachable | undefined
  return {
    look: async () => {
      try {
        const fleet = await readFleet()
        if (trouble !== undefined) output.step('Redis is back')
        trouble = undefined
        return fleet
      } catch (error) {
        if (!(error instanceof ControlPlaneUnreachable)) throw error
        if (trouble === undefined) output.warn(`${error.message}; waiting for it`)
        trouble = error
        return undefined
      }
    },
    insist: () => {
      if (trouble !== undefined) throw trouble
    },
  }
}
