/**
 * The promise that makes any proxy good enough for a CA: it is told to look only when every live proxy has
 * said, by its receipt, that it is past the position at which the challenges were published.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { FleetReader } from '../watch-drain.ts'
import { AcmeFailure } from './problem.ts'

const LOOK_MS = 50
/** Longer than a lease: a proxy that hangs has lost its own by then. */
const RECEIPTS_MS_MAX = 8_000

/** Throws `AcmeFailure` when some live proxy stays behind, or when there is none at all. */
export const answeredEverywhere = async (
  position: number,
  fleet: FleetReader,
  signal: AbortSignal,
): Promise<void> => {
  const endMs = performance.now() + RECEIPTS_MS_MAX
  for (;;) {
    const { proxies } = await fleet.read()
    const live = proxies.filter((proxy) => proxy.live)
    const behind = live.filter((proxy) => proxy.position < position)
    // After an outage of Redis the silent ones may be there, and answer with what they knew before.
    const heardAll = fleet.isSettled() || live.length === proxies.length
    if (live.length > 0 && behind.length === 0 && heardAll) return
    if (performance.now() > endMs) throw new AcmeFailure(reasonOf(behind.map(({ id }) => id)))
    await wait(LOOK_MS, undefined, { signal })
  }
}

const reasonOf = (behind: readonly string[]): string =>
  behind.length === 0
    ? 'no proxy is there that could answer the CA'
    : `the CA was not asked to look, because ${behind.join(', ')} would not have answered it: no receipt in ${RECEIPTS_MS_MAX / 1_000} s`
