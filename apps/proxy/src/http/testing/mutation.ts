/**
 * Seeded mutation of HTTP text, for tests only: the same seed gives the same heads, so a failure
 * can be looked at again.
 */

/** Numbers from 0 up to but without `limit`. */
export type Random = (limit: number) => number

/** mulberry32: small, and good enough to choose what to break next. */
export const createRandom = (seed: number): Random => {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) % limit
  }
}

export const pick = <Item>(random: Random, items: readonly [Item, ...Item[]]): Item =>
  items[random(items.length)] ?? items[0]

/** Breaks the text in up to three places, with the given fragments as ammunition. */
export const mutate = (
  text: string,
  random: Random,
  fragments: readonly [string, ...string[]],
): string => {
  let mutated = text
  for (let left = 1 + random(3); left > 0; left -= 1)
    mutated = mutateOnce(mutated, random, fragments)
  return mutated
}

const mutateOnce = (
  text: string,
  random: Random,
  fragments: readonly [string, ...string[]],
): string => {
  const at = random(text.length + 1)
  const lines = text.split('\r\n')
  const index = random(lines.length)
  switch (random(7)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1)
    case 1:
      return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at)
    case 2:
      return text.slice(0, at) + pick(random, fragments) + text.slice(at)
    case 3:
      return text.slice(0, at) + pick(random, fragments) + text.slice(at + 1 + random(4))
    case 4:
      return lines.toSpliced(index, 0, lines[random(lines.length)] ?? '').join('\r\n')
    case 5:
      return lines.toSpliced(index, 1).join('\r\n')
    default:
      return lines.toSpliced(Math.max(1, index), 0, pick(random, fragments)).join('\r\n')
  }
}
