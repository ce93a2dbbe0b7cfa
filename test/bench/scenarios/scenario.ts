/** What a scenario is. One file each in `kinds/`; `scenarios.ts` lists them. */
import type { BookReport } from './load/plan.ts'
import type { Watched } from './look.ts'
import type { Stage } from './stage.ts'
import type { Thresholds } from './thresholds.ts'

export interface Scenario {
  /** What `--scenario` calls it. */
  readonly name: string
  /** What it does, as one clause for `--list`. */
  readonly about: string
  /** What one answer is, and what its latency is. */
  readonly counts: string
  readonly proxies: number
  readonly connections: number
  readonly thresholds: Thresholds
  /** Whether `--rate` makes sense. */
  readonly takesRate: boolean
  /** Starts its targets and deploys them. */
  readonly prepare: (stage: Stage) => Promise<Act>
}

/** A scenario whose stage is set. */
export interface Act {
  /** May be done again: once to warm up, then in earnest. Ends with no client connected. */
  readonly perform: (load: LoadOptions) => Promise<Finding>
  /** Whose memory and descriptors are judged: the product's, if this says nothing else. */
  readonly watched?: readonly Watched[]
}

export interface LoadOptions {
  readonly durationMs: number
  readonly connections: number
  /** Requests per second; as many as are answered, without it. */
  readonly ratePerSecond?: number
}

export interface Finding {
  readonly book: BookReport
  /** What else is worth knowing, in sentences. */
  readonly notes: readonly string[]
  /** What should have happened and did not, in sentences. Any of them fails the run. */
  readonly problems: readonly string[]
}
