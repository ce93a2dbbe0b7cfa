/** What a measurement is. One file each in `measure/`; `measurements.ts` lists them. */
import type { Comparison } from './comparison.ts'
import type { PeerName } from './data-path/contenders.ts'
import type { FigureName } from './figures.ts'
import type { Lab } from './lab.ts'

export interface Measurement {
  /** What `--only` calls it. */
  readonly name: string
  /** What it belongs to, as somebody asks for it: `npm run bench -- http`. */
  readonly part: Part
  /** What it measures, as one clause for `--help`. */
  readonly about: string
  readonly measure: (bench: Bench) => Promise<Measured>
}

export type Part = 'events' | 'http'

export interface Bench {
  readonly lab: Lab
  /** `quick` shows in seconds that everything works; its figures say nothing. */
  readonly scale: 'full' | 'quick'
  /** How many proxies "many proxies" are. */
  readonly proxies: number
  /** How contenders of the data path are loaded. */
  readonly load: {
    /** Of one run; whole ones, as the generators have it. */
    readonly seconds: number
    readonly repetitions: number
    /** Only against these; all when empty. */
    readonly peers: readonly PeerName[]
  }
}

export interface Measured {
  /** Per figure one value for each repetition. */
  readonly samples: Readonly<Partial<Record<FigureName, readonly number[]>>>
  /** How it was measured, in sentences for those who want to believe the figures. */
  readonly notes: readonly string[]
  /** What could not be measured and should have been, in sentences: the run has failed. */
  readonly failures?: readonly string[]
  readonly comparison?: Comparison
}
