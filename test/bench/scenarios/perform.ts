/** One scenario from its stage to its verdict. */
import type { Lab } from '../lab.ts'
import type { Interruption } from '../ends.ts'
import type { Finding, LoadOptions, Scenario } from './scenario.ts'
import { settledLooks } from './settle.ts'
import { openStage, type Stage } from './stage.ts'
import {
  BUFFER_BYTES_GROWN_MAX,
  judge,
  type Judged,
  type Span,
  type Thresholds,
} from './thresholds.ts'

export interface Outcome {
  readonly scenario: Pick<Scenario, 'name' | 'about' | 'counts'>
  readonly load: LoadOptions
  readonly finding: Finding
  /** One per process that is watched. */
  readonly spans: readonly Span[]
  readonly thresholds: readonly Judged[]
  /** Every threshold is held, and nothing else was wrong. */
  readonly holds: boolean
}

export interface PerformParts {
  readonly lab: Lab
  readonly redisUrl: string
  readonly interruption: Interruption
  /** Where they say nothing, the scenario's own hold. */
  readonly load: Pick<LoadOptions, 'durationMs'> & Partial<LoadOptions>
  readonly thresholds: Thresholds
}

/** Whatever happens, its stage is gone afterwards. */
export const performScenario = async (
  scenario: Scenario,
  { lab, redisUrl, interruption, load, thresholds }: PerformParts,
): Promise<Outcome | 'interrupted'> => {
  await using stage = await openStage(lab, redisUrl, scenario.proxies)
  return await interruption.race(
    perform(scenario, stage, lab.say, loadFor(scenario, load), {
      bufferBytes: BUFFER_BYTES_GROWN_MAX,
      ...scenario.thresholds,
      ...thresholds,
    }),
  )
}

/** What is compiled, cached and pooled on the way to full speed is not what a run retains. */
const WARM_UP_SHARE = 0.25
const WARM_UP_MS_MAX = 3_000

const perform = async (
  scenario: Scenario,
  stage: Stage,
  say: Lab['say'],
  load: LoadOptions,
  thresholds: Thresholds,
): Promise<Outcome> => {
  const { name, about, counts } = scenario
  const act = await scenario.prepare(stage)
  const settling = { watched: act.watched ?? stage.watched, targets: stage.targets() }
  const warmUpMs = Math.min(WARM_UP_MS_MAX, load.durationMs * WARM_UP_SHARE)
  say(`${name}: warming up for ${(warmUpMs / 1_000).toFixed(1)} s …`)
  await act.perform({ ...load, durationMs: warmUpMs })
  const before = await settledLooks(settling)
  say(`${name}: ${load.connections} connections for ${load.durationMs / 1_000} s …`)
  const finding = await act.perform(load)
  const after = await settledLooks({ ...settling, before })
  const spans = before.flatMap((look, index) => {
    const later = after[index]
    return later === undefined ? [] : [{ before: look, after: later }]
  })
  const judged = judge(thresholds, finding.book, spans)
  const holds = judged.every((each) => each.holds) && finding.problems.length === 0
  return { scenario: { name, about, counts }, load, finding, spans, thresholds: judged, holds }
}

const loadFor = (
  { connections, takesRate }: Scenario,
  { ratePerSecond, ...load }: PerformParts['load'],
): LoadOptions => ({
  connections,
  ...load,
  ...(takesRate && ratePerSecond !== undefined ? { ratePerSecond } : {}),
})
