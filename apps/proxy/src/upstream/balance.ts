/**
 * Round robin over the targets of a release, in the order they were declared. Each proxy counts for
 * itself. Ejected targets are passed over, unless all are: a poor target is better than none.
 */

export interface Balance<Target> {
  /** Whose turn it is. The first call returns the first target. */
  readonly next: () => Target
  /** Another one than `tried`, if there is one that is not ejected; it takes nobody's turn. */
  readonly nextAfter: (tried: Target) => Target | undefined
  readonly setEjected: (isEjected: (target: Target) => boolean) => void
}

/** `targets` has at least one member. */
export const roundRobin = <Target>(targets: readonly [Target, ...Target[]]): Balance<Target> => {
  let eligible: readonly Target[] = targets
  let turn = 0

  /** The first eligible target at or after a place in the declaration. */
  const eligibleFrom = (place: number): number => {
    for (let step = 0; step < targets.length; step += 1) {
      const index = (place + step) % targets.length
      const target = targets[index]
      if (target !== undefined && eligible.includes(target)) return index
    }
    return 0
  }

  return {
    next: () => {
      const index = eligible.length === targets.length ? turn : eligibleFrom(turn)
      turn = (index + 1) % targets.length
      return targets[index] ?? targets[0]
    },
    nextAfter: (tried) => {
      const other = targets[eligibleFrom(targets.indexOf(tried) + 1)]
      return other === tried ? undefined : other
    },
    setEjected: (isEjected) => {
      const rest = targets.filter((target) => !isEjected(target))
      eligible = rest.length === 0 ? targets : rest
    },
  }
}
