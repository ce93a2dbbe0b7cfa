/**
 * From an accepted command to its end, in the order in which things happen: the workers' verdict, the
 * receipts of every live proxy, and the drain of what served before.
 */
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { awaitDrains, awaitQuiet } from './await-drains.ts'
import { awaitReceipts } from './await-receipts.ts'
import { awaitVerdict, whyPending } from './await-verdict.ts'
import { createBudget } from './budget.ts'
import type { Verdict } from './change.ts'
import { createFleetLook } from './fleet-look.ts'
import { startFollower } from './follower.ts'
import { sayLaggards } from './receipts.ts'
import type { Wait, Waited, WaitOptions } from './waiting.ts'

/** Throws `ControlPlaneUnreachable` when Redis stays away, and the signal's reason on Ctrl-C. */
export const waitForChange = async (session: Session, options: WaitOptions): Promise<Waited> => {
  const follower = startFollower({ log: session.log, ...options })
  const budget = createBudget(options.timeoutMs, () => performance.now())
  try {
    return await story({ session, options, follower, fleet: createFleetLook(session), budget })
  } finally {
    session.output.settle()
    await follower.stop()
  }
}

const story = async (wait: Wait): Promise<Waited> => {
  const { follower, session } = wait
  const verdict = await awaitVerdict(wait)
  const change = follower.change()
  switch (verdict.kind) {
    case 'pending':
      return { exit: EXIT.notConverged, problem: await whyPending(wait), change }
    case 'failed':
      return { exit: EXIT.unhealthy, problem: `release ${verdict.release} is not active`, change }
    case 'superseded':
      return { exit: EXIT.conflict, problem: saySuperseded(verdict), change }
    case 'staged':
      return { exit: EXIT.ok, change }
    case 'active':
    case 'applied':
      break
  }

  const receipts = await awaitReceipts(wait, verdict)
  if (receipts === undefined) {
    session.output.warn('no proxy is running: nothing to wait for')
    return { exit: EXIT.ok, change }
  }
  if (receipts.laggards.length > 0) {
    const names = sayLaggards(receipts.laggards)
    const problem = `not every proxy is at position ${receipts.position}: ${names}`
    return { exit: EXIT.notConverged, problem, change, receipts }
  }
  const { quietMs } = wait.options
  return quietMs === undefined ? awaitDrains(wait, receipts) : awaitQuiet(wait, quietMs, receipts)
}

const saySuperseded = (verdict: Extract<Verdict, { kind: 'superseded' }>): string => {
  const { release, winner } = verdict
  return winner === undefined
    ? `release ${release} was not activated: a newer command took its place`
    : `release ${release} was not activated: a ${winner.command} of release ${winner.release} by ${winner.actor} took its place`
}
