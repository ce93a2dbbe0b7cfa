/** Names for requests: unique among all proxies, and cheap enough to give one to every request. */
import { randomBytes } from 'node:crypto'

/** A random name of this process, 72 bits, and a count. */
export const createRequestIds = (): (() => string) => {
  const prefix = randomBytes(9).toString('base64url')
  let count = 0
  return () => {
    count += 1
    return `${prefix}-${count.toString(36)}`
  }
}
