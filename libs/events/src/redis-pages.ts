/**
 * The entries of a stream, page by page. A reading that turns out to be long goes on over a connection
 * of its own, where an entry costs a fraction of what the client takes for it; whatever becomes of that
 * connection, the client is asked instead, and says what is wrong.
 */
import type { RawEntry } from './entries.ts'
import { openRangeReader, type RangeReader } from './redis-range.ts'
import { using, type RedisLink } from './redis.ts'

/** Short, since a page is read at one go, and while it is read nothing else runs. */
export const PAGE_ENTRIES = 250
/** A start from a snapshot has fewer pages to read than these. */
const PAGES_OF_CLIENT = 8

export interface Pages {
  /**
   * From an id on, `(` before it to begin after it. One at a time. Throws `ControlPlaneUnreachable` or
   * `ControlPlaneUnfit`.
   */
  readonly from: (id: string) => Promise<readonly RawEntry[]>
  readonly close: () => void
}

export const openPages = (link: RedisLink, key: string): Pages => {
  let pages = 0
  let reader: RangeReader | undefined
  let closed = false

  const open = async (): Promise<void> => {
    try {
      reader = await openRangeReader(link, key)
      if (closed) reader?.close()
    } catch {
      // The client goes on, and meets the same trouble if it lasts.
    }
  }

  return {
    from: async (id) => {
      pages += 1
      if (pages === PAGES_OF_CLIENT) void open()
      try {
        if (reader !== undefined) return await reader.read(id, PAGE_ENTRIES)
      } catch {
        reader = undefined
      }
      return using(link, (client) => client.xrange(key, id, '+', 'COUNT', PAGE_ENTRIES))
    },
    close: () => {
      closed = true
      reader?.close()
    },
  }
}
