/** What the fuzzer tries, and what may come of it. A case is plain text, so that it can be shown, cut down and kept. */

export interface Case {
  readonly level: LevelName
  /** What the sender sends: a head, a body, or a stream of messages. A character is a byte. */
  readonly input: string
  /** Where its reads end. */
  readonly cuts: readonly number[]
  /** What a target answers, one after the other, and then from the start again; none where nobody is asked. */
  readonly answers: readonly string[]
  /** A target's answers arrive in pieces of so many bytes; 0: as a whole. */
  readonly pieceBytes: number
  /** A target answers as soon as it has a head, rather than a whole request. */
  readonly early: boolean
}

export type LevelName =
  'request-heads' | 'response-heads' | 'chunked-bodies' | 'pipelines' | 'splits' | 'sockets'

export type Verdict =
  /** Read alike by both. */
  | { readonly kind: 'both' }
  /** We refuse something that llhttp takes, as we may. */
  | { readonly kind: 'stricter' }
  | { readonly kind: 'neither' }
  /** We have taken, or passed on, something that llhttp reads in another way. */
  | { readonly kind: 'disagreement'; readonly problem: string }

export const BOTH: Verdict = { kind: 'both' }
export const STRICTER: Verdict = { kind: 'stricter' }
export const NEITHER: Verdict = { kind: 'neither' }
export const disagreement = (problem: string): Verdict => ({ kind: 'disagreement', problem })

/** One way of looking for disagreements. */
export interface Level {
  readonly name: LevelName
  generate(random: (limit: number) => number): Case
  /** The same case gets the same verdict. */
  judge(example: Case): Verdict | Promise<Verdict>
}
