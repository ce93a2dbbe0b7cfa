/**
 * Replaces the proxies one after the other, so that all but one serve undisturbed, and that one shares
 * its sockets with its successor. It stops at the first that cannot be replaced: what would not start
 * once will not start elsewhere.
 */
import { sayDuration } from '../spec/duration.ts'
import type { Child, Replaced } from './child.ts'

export interface Upgraded {
  readonly proxies: readonly UpgradedProxy[]
  /** Why it went no further; absent when every proxy was replaced. */
  readonly failure?: UpgradeFailure
}

export interface UpgradedProxy {
  /** The proxy that serves now, and the one whose place it took. */
  readonly id: string
  readonly succeeds: string
  /** From the start of the successor until it served. */
  readonly readyMs: number
  /** From then until the one before had ended. */
  readonly finishMs: number
  /** Work that the one before had to cut; null when it could not say. */
  readonly cut: number | null
}

export interface UpgradeFailure {
  readonly because: Extract<Replaced, { kind: 'kept' }>['because'] | 'busy'
  readonly why: string
}

/** `readyMs`: how long a successor may take to start and to read the log. */
export type Upgrade = (readyMs: number, say: (sentence: string) => void) => Promise<Upgraded>

export const READY_MS_DEFAULT = 30_000

/** One at a time: who asks while it is under way is told so. `graceMs` is only for the words. */
export const createUpgrade = (proxies: readonly Child[], graceMs: number): Upgrade => {
  let busy = false
  return async (readyMs, say) => {
    if (busy) return failed([], { because: 'busy', why: 'an upgrade is under way already' })
    busy = true
    try {
      return await replaceAll(proxies, graceMs, readyMs, say)
    } finally {
      busy = false
    }
  }
}

const replaceAll = async (
  proxies: readonly Child[],
  graceMs: number,
  readyMs: number,
  say: (sentence: string) => void,
): Promise<Upgraded> => {
  const done: UpgradedProxy[] = []
  for (const proxy of proxies) {
    const succeeds = proxy.id()
    const startedAt = performance.now()
    let servingAt = startedAt
    say(`${succeeds}: its successor is started`)
    const replaced = await proxy.replace(readyMs, () => {
      servingAt = performance.now()
      say(
        `${succeeds}: ${proxy.id()} serves after ${sayDuration(servingAt - startedAt)}, and it finishes what it has, for ${sayDuration(graceMs)} at most`,
      )
    })
    if (replaced.kind === 'kept') {
      const { because, why } = replaced
      return failed(done, { because, why: `${succeeds} was not replaced: ${why}` })
    }
    const { cut = null } = replaced
    const finishMs = performance.now() - servingAt
    say(`${succeeds}: has ended after ${sayDuration(finishMs)}${sayCut(cut)}`)
    done.push({
      id: proxy.id(),
      succeeds,
      cut,
      readyMs: Math.round(servingAt - startedAt),
      finishMs: Math.round(finishMs),
    })
  }
  return { proxies: done }
}

const failed = (proxies: readonly UpgradedProxy[], failure: UpgradeFailure): Upgraded => ({
  proxies,
  failure,
})

const sayCut = (cut: number | null): string => {
  if (cut === null) return ' without saying whether it cut work'
  return cut === 0 ? '' : ` and cut ${cut} of its requests and sockets`
}
