/** One load, and what became of it with everybody who took part: the table behind the ratios. */

export interface Comparison {
  /** What `--only` calls it. */
  readonly name: string
  readonly title: string
  /** What is compared, such as `requests per CPU-second`. */
  readonly compared: string
  readonly better: 'less' | 'more'
  readonly entries: readonly Entry[]
}

export interface Entry {
  readonly name: string
  readonly version: string
  /** What is compared, once for each repetition. */
  readonly values: readonly number[]
  /** What else is known of it, by name: the same names in the same order for all entries. */
  readonly details: Readonly<Record<string, number>>
  /** An entry with errors is void: no ratio is made of it. */
  readonly errors: number
}
