/**
 * Times of a release that differ for some of its requests: a report that may take two minutes, in a
 * service whose other answers are due within thirty seconds. The most specific rule counts: the one
 * with the longest path, and of two with the same path the one that names the method.
 */

export interface PathTimeout {
  /** `/reports` means itself and all below it, but not `/reports-old`. */
  readonly path: string
  /** Upper case; any method when absent. */
  readonly method?: string
  /** In place of the limits of the release with these names. At least one is there. */
  readonly responseMs?: number
  readonly idleMs?: number
}

export const PATH_TIMEOUTS_MAX = 100
const METHOD = /^[A-Z][A-Z-]{0,31}$/
/** A path begins with a slash, and has neither a query nor anything that would have to be escaped. */
const PATH = /^\/[^\s?#]*$/

/** What is wrong with them, as the index of one and a clause; undefined when nothing is. */
export const problemOfPathTimeouts = (
  timeouts: readonly PathTimeout[],
): { readonly index: number | undefined; readonly problem: string } | undefined => {
  if (timeouts.length > PATH_TIMEOUTS_MAX) {
    return {
      index: undefined,
      problem: `has ${timeouts.length} entries; at most ${PATH_TIMEOUTS_MAX} fit`,
    }
  }
  const known = new Set<string>()
  for (const [index, { path, method, responseMs, idleMs }] of timeouts.entries()) {
    if (!PATH.test(path)) {
      return { index, problem: `"${path}" is not a path; expected one such as /reports` }
    }
    if (method !== undefined && !METHOD.test(method)) {
      return { index, problem: `"${method}" is not a method; expected one such as POST` }
    }
    if (responseMs === undefined && idleMs === undefined) {
      return { index, problem: 'says no time; expected response or idle' }
    }
    const key = `${path} for ${method ?? 'every method'}`
    if (known.has(key)) return { index, problem: `has ${key} twice` }
    known.add(key)
  }
  return undefined
}

/** In the order in which they are asked: the first that matches is the most specific. */
export const bySpecificity = (timeouts: readonly PathTimeout[]): readonly PathTimeout[] =>
  timeouts.toSorted(
    (one, other) =>
      other.path.length - one.path.length ||
      Number(other.method !== undefined) - Number(one.method !== undefined),
  )

/** `target` is the origin form of a request: path and query as they came. */
export const matchesPath = (path: string, target: string): boolean => {
  if (!target.startsWith(path)) return false
  if (target.length === path.length || path.endsWith('/')) return true
  const next = target.charAt(path.length)
  return next === '/' || next === '?'
}
