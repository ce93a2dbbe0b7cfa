/** What a measurement is. One file each in `measure/`; `measurements.ts` lists them. */
import type { FigureName } from './figures.ts'
import type { Lab } from './lab.ts'

export interface Measurement {
  /** What `--only` calls it. */
  readonly name: string
  /** What it measures, as one clause for `--help`. */
  readonly about: string
  readonly measure: (bench: Bench) => Promise<Measured>
}

export interface Bench {
  readonly lab: Lab
  /** `quick` shows in seconds that everything works; its figures say nothing. */
  readonly scale: 'full' | 'quick'
  /** How many proxies "many proxies" are. */
  readonly proxies: number
}

export interface Measured {
  /** Per figure one value for each repetition. */
  readonly samples: Readonly<Partial<Record<FigureName, readonly number[]>>>
  /** How it was measured, in sentences for those who want to believe the figures. */
  readonly notes: readonly string[]
}
