/** The few numbers that stand for many. */

/** The value that a share `q` (0 to 1) of the values does not exceed, by nearest rank. */
export const quantile = (values: readonly number[], q: number): number => {
  const value = inOrder(values)[Math.max(0, Math.ceil(q * values.length) - 1)]
  if (value === undefined) throw new RangeError('there is no quantile of no values')
  return value
}

/** The middle value; of an even number of values, the mean of the two in the middle. */
export const median = (values: readonly number[]): number => {
  const sorted = inOrder(values)
  const low = sorted[Math.ceil(values.length / 2) - 1]
  const high = sorted[Math.floor(values.length / 2)]
  if (low === undefined || high === undefined) throw new RangeError('there is no middle of nothing')
  return (low + high) / 2
}

const inOrder = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b)
