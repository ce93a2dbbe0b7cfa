/** The options that verbs share, as commander hands them over once they are read. */
import type { OutputOptions } from '../output/output.ts'

export interface GlobalOptions {
  readonly json?: true
  readonly quiet?: true
  /** False after `--no-color`. */
  readonly color: boolean
}

export interface ChangeOptions extends GlobalOptions {
  /** False after `--no-wait`. */
  readonly wait: boolean
  /** In milliseconds, like all that follow a duration. */
  readonly timeout: number
  readonly reason?: string
  readonly actor?: string
  readonly expectVersion?: number
  readonly idempotencyKey?: string
}

/** The part of a verb's options that says how it speaks. */
export const outputOptions = ({ json, quiet, color }: GlobalOptions): OutputOptions => ({
  json: json === true,
  quiet: quiet === true,
  color,
})
