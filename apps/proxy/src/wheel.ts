/**
 * Deadlines for tens of thousands of connections out of one interval timer.
 *
 * A `Timer` belongs to one connection for its whole life and is armed, moved and disarmed many times
 * per second, which is why nobody reads a clock for that: time passes when the interval says so.
 * Moving a timer later or disarming it only writes a number: the wheel notices when it next comes by
 * the timer's slot. A deadline never fires early, and at most three ticks late.
 *
 * A time in which nothing ran does not count: what a client sent meanwhile has not been read yet.
 */

export interface Wheel {
  /** Fires `timer` once, `afterMs` from now; replaces the deadline it had. */
  arm(timer: Timer, afterMs: number): void
  disarm(timer: Timer): void
  /** Forgets the timer at once, so that the wheel does not keep its owner alive. */
  release(timer: Timer): void
  /** Fires everything that is due. The interval calls it; tests call it after moving their clock. */
  advance(): void
  start(): void
  stop(): void
}

export interface WheelOptions {
  /** Milliseconds from any origin, never going back. */
  readonly now: () => number
  readonly tickMs?: number
}

/** What happens at the deadline. It may arm, disarm and release any timer, its own among them. */
export interface TimerOwner {
  onDeadline(): void
}

export const TICK_MS = 100
/** A power of two. Later deadlines stay in their slot for more than one turn of the wheel. */
const SLOTS = 512
/** So many ticks may pass unseen, between two calls of the interval, and are made good. */
const UNCOUNTED_TICKS = 1
const NEVER = Number.MAX_SAFE_INTEGER

export class Timer {
  /** The tick at which it is due, and the earlier or equal tick in whose slot it is linked. */
  dueTick = NEVER
  slotTick = NEVER
  previous: Timer | undefined
  next: Timer | undefined
  readonly owner: TimerOwner | undefined

  constructor(owner: TimerOwner | undefined) {
    this.owner = owner
  }

  get armed(): boolean {
    return this.dueTick !== NEVER
  }
}

export const createWheel = ({ now, tickMs = TICK_MS }: WheelOptions): Wheel => {
  const slots = Array.from({ length: SLOTS }, emptyList)
  let tick = 0
  /** When the current tick began. */
  let tickAt = now()
  let interval: NodeJS.Timeout | undefined

  const link = (timer: Timer): void => {
    timer.slotTick = timer.dueTick
    append(slotOf(slots, timer.dueTick), timer)
  }

  const visit = (timer: Timer): void => {
    unlink(timer)
    if (timer.dueTick === NEVER) return
    if (timer.dueTick > tick) {
      link(timer)
      return
    }
    timer.dueTick = NEVER
    timer.owner?.onDeadline()
  }

  const wheel: Wheel = {
    arm: (timer, afterMs) => {
      // More, because the current tick is partly over, and others may be that are not counted yet.
      timer.dueTick = tick + Math.ceil(afterMs / tickMs) + 1 + UNCOUNTED_TICKS
      if (timer.next === undefined) link(timer)
      else if (timer.slotTick > timer.dueTick) {
        unlink(timer)
        link(timer)
      }
    },
    disarm: (timer) => {
      timer.dueTick = NEVER
    },
    release: (timer) => {
      timer.dueTick = NEVER
      unlink(timer)
    },
    advance: () => {
      const passed = Math.floor((now() - tickAt) / tickMs)
      tickAt += passed * tickMs
      for (let left = Math.min(passed, 1 + UNCOUNTED_TICKS); left > 0; left -= 1) {
        tick += 1
        visitAll(slotOf(slots, tick), visit)
      }
    },
    start: () => {
      interval ??= setInterval(() => wheel.advance(), tickMs)
    },
    stop: () => {
      clearInterval(interval)
      interval = undefined
    },
  }
  return wheel
}

/** A ring of timers, whose first member is only its head. */
const emptyList = (): Timer => {
  const head = new Timer(undefined)
  head.previous = head
  head.next = head
  return head
}

const slotOf = (slots: readonly Timer[], tick: number): Timer => {
  const slot = slots[tick & (SLOTS - 1)]
  if (slot === undefined) throw new Error(`the wheel has no slot for tick ${tick}`)
  return slot
}

const append = (head: Timer, timer: Timer): void => {
  const last = head.previous ?? head
  timer.previous = last
  timer.next = head
  last.next = timer
  head.previous = timer
}

const unlink = (timer: Timer): void => {
  if (timer.previous !== undefined) timer.previous.next = timer.next
  if (timer.next !== undefined) timer.next.previous = timer.previous
  timer.previous = undefined
  timer.next = undefined
  timer.slotTick = NEVER
}

/**
 * A visit may release timers of the same slot, or link new ones into it, so the members are moved to
 * a list of their own first and taken from its front.
 */
const visitAll = (head: Timer, visit: (timer: Timer) => void): void => {
  if (head.next === head) return
  const due = emptyList()
  for (let timer = head.next; timer !== undefined && timer !== head; timer = head.next) {
    const { slotTick } = timer
    unlink(timer)
    timer.slotTick = slotTick
    append(due, timer)
  }
  for (let timer = due.next; timer !== undefined && timer !== due; timer = due.next) visit(timer)
}
