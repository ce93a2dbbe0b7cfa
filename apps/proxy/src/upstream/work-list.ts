/**
 * The work in flight of a release, as a set from which anything leaves in constant time and without
 * allocation. Work knows its own place, so it can neither enter nor leave twice unnoticed.
 */

export interface Work {
  /** Its index in the list; NOWHERE while it is in none. Only the list writes it. */
  place: number
  /** The drain deadline has passed: end now, and leave. */
  cut(): void
}

/** An upgraded connection. */
export interface UpgradedWork extends Work {
  /** Its protocol has a way to be ended by us, and it is not ending already. */
  readonly mayRetire: boolean
  /** Ends it in that way, soon. */
  retire(): void
}

export const NOWHERE = -1

export class WorkList<Member extends Work = Work> {
  readonly #members: Member[] = []

  get size(): number {
    return this.#members.length
  }

  has(work: Work): boolean {
    return work.place !== NOWHERE && this.#members[work.place] === work
  }

  enter(work: Member): void {
    if (work.place !== NOWHERE) throw new Error('cannot enter work: it is in a list already')
    work.place = this.#members.length
    this.#members.push(work)
  }

  /** False when it is not here, so that a second leaving changes nothing. */
  leave(work: Work): boolean {
    if (!this.has(work)) return false
    const { place } = work
    const last = this.#members.pop()
    if (last !== undefined && last !== work) {
      this.#members[place] = last
      last.place = place
    }
    work.place = NOWHERE
    return true
  }

  /** Everything that is in flight now; ending one of them changes the list but not this copy. */
  members(): readonly Member[] {
    return this.#members.slice()
  }
}
