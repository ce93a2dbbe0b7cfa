/** Names for requests: unique among all proxies, and cheap enough to give one to every request. */
import { randomBytes } from 'node:crypto'

/** A random name of this process, 72 bits, and a count. */
export const createRequestIds = (): (() => string) => {
  const prefix = randomBytes(9).toString('base64url')
  let round = 0
  let stem = `${prefix}-0`
  let next = 0
  return () => {
    if (next === ENDINGS.length) {
      next = 0
      round += 1
      stem = `${prefix}-${round.toString(36)}`
    }
    const ending = ENDINGS[next] ?? ''
    next += 1
    return stem + ending
  }
}

/** The last two digits of a count in base 36: to write a number anew for each request is slow. */
const ENDINGS: readonly string[] = Array.from({ length: 36 ** 2 }, (_, index) =>
  index.toString(36).padStart(2, '0'),
)
