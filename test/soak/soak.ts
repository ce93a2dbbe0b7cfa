/** The soak itself: a warm-up, a baseline, the mix for as long as it takes, and what is left of it. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Books } from '../bench/scenarios/load/plan.ts'
import { lookAt, type Look } from '../bench/scenarios/look.ts'
import { settledLooks } from '../bench/scenarios/settle.ts'
import type { Stage } from '../bench/scenarios/stage.ts'
import type { Span } from '../bench/scenarios/thresholds.ts'
import { mixOf } from './mix.ts'
import type { SoakOptions } from './options.ts'

export interface Soaked {
  readonly books: Books
  readonly switches: number
  /** One per process of the product. */
  readonly spans: readonly Span[]
}

/** How the fleet is at a moment while it runs. */
export interface Progress {
  readonly elapsedMs: number
  readonly books: Books
  readonly switches: number
  readonly looks: readonly Look[]
}

/** Long enough that everything was compiled, cached and pooled once. */
const WARM_UP_SHARE = 0.25
const WARM_UP_MS_MAX = 60_000
const SWITCH_EVERY_MS_MAX = 5_000
/** So that the shortest soak has some switches, too. */
const SWITCHES_MIN = 6
const TELLS = 20
const TELL_EVERY_MS_MIN = 1_000
const TELL_EVERY_MS_MAX = 60_000

export const soak = async (
  stage: Stage,
  { durationMs, connections }: Pick<SoakOptions, 'durationMs' | 'connections'>,
  tell: (progress: Progress) => void,
): Promise<Soaked> => {
  const { watched, generator } = stage
  for (const label of ['green', 'blue']) {
    await stage.deploy(label, await stage.startTarget(label))
  }
  const warmUpMs = Math.min(WARM_UP_MS_MAX, durationMs * WARM_UP_SHARE)
  await run(stage, { durationMs: warmUpMs, connections }, () => undefined)
  // Targets keep their connections: it is the proxies that have to close them.
  const before = await settledLooks({ watched, targets: [] })
  await generator.forget()
  const switches = await run(stage, { durationMs, connections }, tell)
  const books = await generator.books()
  const after = await settledLooks({ watched, targets: [], before })
  const spans = before.flatMap((look, index) => {
    const later = after[index]
    return later === undefined ? [] : [{ before: look, after: later }]
  })
  return { books, switches, spans }
}

/** Returns the number of switches, and ends with no client connected. */
const run = async (
  stage: Stage,
  { durationMs, connections }: Pick<SoakOptions, 'durationMs' | 'connections'>,
  tell: (progress: Progress) => void,
): Promise<number> => {
  const { generator, watched, ports } = stage
  const switchEveryMs = Math.min(SWITCH_EVERY_MS_MAX, durationMs / SWITCHES_MIN)
  const tellEveryMs = Math.min(TELL_EVERY_MS_MAX, Math.max(TELL_EVERY_MS_MIN, durationMs / TELLS))
  let switches = 0
  const begunAt = performance.now()
  let toldAt = begunAt
  await generator.expect(['blue'])
  await generator.start(...mixOf(ports, connections))
  while (performance.now() - begunAt < durationMs) {
    // To and fro, so that it ends as it has begun.
    for (const label of ['green', 'blue']) {
      await delay(switchEveryMs)
      await generator.expect(['blue', 'green'])
      await stage.switchTo(label)
      await generator.expect([label])
      switches += 1
    }
    const now = performance.now()
    if (now - toldAt < tellEveryMs) continue
    toldAt = now
    const looks = await Promise.all(watched.map(lookAt))
    tell({ elapsedMs: now - begunAt, books: await generator.books(), switches, looks })
  }
  await generator.stop()
  return switches
}
