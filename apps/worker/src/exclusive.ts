/** One at a time, in the order in which they came. */
export type Exclusive = <Result>(run: () => Promise<Result>) => Promise<Result>

export const createExclusive = (): Exclusive => {
  let last: Promise<unknown> = Promise.resolve()
  return (run) => {
    const mine = last.then(run)
    last = mine.catch(() => undefined)
    return mine
  }
}
