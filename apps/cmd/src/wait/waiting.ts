/** What a wait is about, and what it ends with: shared by the phases of `waitForChange`. */
import type { Certificate } from '@gatehouse/domain'
import type { Place, Position } from '@gatehouse/events'
import type { ExitCode } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import type { Budget } from './budget.ts'
import type { Change } from './change.ts'
import type { FleetLook } from './fleet-look.ts'
import type { Follower } from './follower.ts'
import type { Receipts } from './receipts.ts'
import type { ServiceWork } from './work.ts'

export interface WaitOptions {
  readonly change: Change
  /** A place before the first event. */
  readonly after: Place
  readonly first: Position
  readonly last: Position
  /** For everything that should be quick: the whole wait beyond the health gate and the drain. */
  readonly timeoutMs: number
  /** What the health gate may take. */
  readonly healthMs: number
  /** Wait, after the receipts, until no proxy holds work of the service: pause and stop. */
  readonly quietMs?: number
}

export interface Waited {
  readonly exit: ExitCode
  /** Why the exit code is not 0, in one sentence. */
  readonly problem?: string
  readonly change: Change
  readonly receipts?: Receipts
  /** What the gateway sees to for a deploy, as it stands now. */
  readonly certificate?: Certificate
  readonly stillInFlight?: readonly ServiceWork[]
}

/** A wait while it goes on. */
export interface Wait {
  readonly session: Session
  readonly options: WaitOptions
  readonly follower: Follower
  readonly fleet: FleetLook
  readonly budget: Budget
}
