/**
 * Asks the upgraded connections of a release to end, one after the other, in the last part of the time
 * that they have: a thousand clients that are told in one instant come back in one instant.
 *
 * Each slot takes an even share of those that are left, so nothing is remembered about any of them.
 * Where there are fewer connections than slots, chance decides, so that many proxies with one
 * connection each do not choose the same slot.
 */
import { TICK_MS, Timer, type TimerOwner, type Wheel } from '../wheel.ts'
import type { UpgradedWork, WorkList } from './work-list.ts'

/** The part of the time that passes before the first is asked, and the part after the last was. */
const QUIET_SHARE = 1 / 2
const ANSWER_SHARE = 1 / 4
/** The wheel comes by again after so long at the earliest. */
const SLOT_MS = 2 * TICK_MS
/** Nobody needs longer to answer. */
const ANSWER_MS_MAX = 5_000

export class Farewell implements TimerOwner {
  readonly #wheel: Wheel
  readonly #upgraded: WorkList<UpgradedWork>
  readonly #timer = new Timer(this)
  #slotsLeft = 0

  constructor(wheel: Wheel, upgraded: WorkList<UpgradedWork>) {
    this.#wheel = wheel
    this.#upgraded = upgraded
  }

  /** Everybody has been asked some time before `withinMs` have passed; replaces what was begun before. */
  begin(withinMs: number): void {
    const quietMs = withinMs * QUIET_SHARE
    const answerMs = Math.min(withinMs * ANSWER_SHARE, ANSWER_MS_MAX)
    this.#slotsLeft = Math.max(1, Math.floor((withinMs - quietMs - answerMs) / SLOT_MS))
    this.#wheel.release(this.#timer)
    this.#wheel.arm(this.#timer, quietMs)
  }

  cancel(): void {
    this.#wheel.release(this.#timer)
  }

  onDeadline(): void {
    const open = this.#upgraded.members().filter(({ mayRetire }) => mayRetire)
    const share = open.length / this.#slotsLeft
    const count = Math.floor(share + Math.random())
    for (const work of open.slice(0, count)) work.retire()
    this.#slotsLeft -= 1
    if (this.#slotsLeft > 0) this.#wheel.arm(this.#timer, 0)
  }
}
