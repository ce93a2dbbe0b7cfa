/**
 * How a snapshot holds many things of one kind: one list per field. An object or a list for each of fifty
 * thousand things would take longer to read than what is in it.
 */

/** Most services have one host, and most releases one target: those do without a list of their own. */
export type OneOrMore = string | readonly string[]

export const oneOrMore = (texts: readonly string[]): OneOrMore => {
  const [only] = texts
  return only !== undefined && texts.length === 1 ? only : texts
}

export const listOf = (texts: OneOrMore): readonly string[] =>
  typeof texts === 'string' ? [texts] : texts

/** Throws where the column does not reach. */
export const cell = <Value>(column: readonly Value[], index: number): Value => {
  const value = column[index]
  if (value === undefined) throw new TypeError(`a column ends at ${column.length}`)
  return value
}
