/** What a run is held to, and whether it holds. */
import type { BookReport } from './load/plan.ts'
import type { Look } from './look.ts'

/** Each is the most that may be; one that is not there is not judged. */
export interface Thresholds {
  readonly p50Ms?: number
  readonly p95Ms?: number
  readonly p99Ms?: number
  readonly errors?: ErrorsMax
  /** By how much the live heap of one process may have grown once it has settled. */
  readonly retainedBytes?: number
  /** By how much what it holds outside of the heap may have. */
  readonly bufferBytes?: number
  /** By how much its resident memory may have grown. What V8 has freed, the system need not have back. */
  readonly residentBytes?: number
  /** How many more files and sockets one process may have open once it has settled. */
  readonly descriptors?: number
}

export type ErrorsMax = { readonly count: number } | { readonly share: number }

/** A proxy keeps the buffers that it reads into for the next busy time: 32 MiB at most. */
export const BUFFER_BYTES_GROWN_MAX = 40_000_000

export interface Judged {
  /** The option that sets it: `p99`. */
  readonly name: string
  readonly measured: string
  readonly bound: string
  readonly holds: boolean
}

/** The same process before and after. */
export interface Span {
  readonly before: Look
  readonly after: Look
}

export const judge = (
  thresholds: Thresholds,
  book: BookReport,
  spans: readonly Span[],
): readonly Judged[] => [
  ...judgeLatencies(thresholds, book),
  ...(thresholds.errors === undefined ? [] : [judgeErrors(thresholds.errors, book)]),
  ...judgeSpans(thresholds, spans),
]

export const judgeErrors = (max: ErrorsMax, { good, errors }: BookReport): Judged => {
  if ('count' in max) return judged('errors', errors, max.count, String)
  return judged('errors', errors / Math.max(1, good + errors), max.share, sayShare)
}

/** Work that is left over is never right. */
export const judgeSpans = (
  { retainedBytes, bufferBytes, residentBytes, descriptors }: Thresholds,
  spans: readonly Span[],
): readonly Judged[] =>
  spans.flatMap(({ before, after }) => {
    const { name } = after
    const grown = (
      what: string,
      of: 'heapBytes' | 'bufferBytes' | 'rssBytes',
      max?: number,
    ): readonly Judged[] =>
      max === undefined ? [] : [judged(`${what}, ${name}`, after[of] - before[of], max, sayBytes)]
    const more = after.descriptors.length - before.descriptors.length
    const which = more > 0 ? ` (${moreOf(before.descriptors, after.descriptors).join(', ')})` : ''
    const say = (count: number): string => signed(count) + (count === more ? which : '')
    const left = Object.entries(after.work).filter(([, value]) => value > 0)
    const words = left.map(([what, value]) => `${value} ${what}`).join(', ')
    return [
      ...grown('retained', 'heapBytes', retainedBytes),
      ...grown('buffers', 'bufferBytes', bufferBytes),
      ...grown('resident', 'rssBytes', residentBytes),
      ...(descriptors === undefined
        ? []
        : [judged(`descriptors, ${name}`, more, descriptors, say)]),
      ...(left.length === 0
        ? []
        : [{ name: `left over, ${name}`, measured: words, bound: '≤ 0', holds: false }]),
    ]
  })

/** What there is more of than before. */
const moreOf = (before: readonly string[], after: readonly string[]): readonly string[] => {
  const left = [...before]
  return after.filter((each) => {
    const place = left.indexOf(each)
    if (place >= 0) left.splice(place, 1)
    return place < 0
  })
}

const judgeLatencies = (thresholds: Thresholds, book: BookReport): readonly Judged[] =>
  (['p50', 'p95', 'p99'] as const).flatMap((name) => {
    const max = thresholds[`${name}Ms`]
    return max === undefined ? [] : [judged(name, book.latencyMs[name], max, sayMs)]
  })

const judged = (
  name: string,
  measured: number,
  max: number,
  say: (value: number) => string,
): Judged => ({ name, measured: say(measured), bound: `≤ ${say(max)}`, holds: measured <= max })

/** Three digits: `0.42 ms`, `12.3 ms`, `1 250 ms`. */
export const sayMs = (ms: number): string =>
  `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : grouped(ms)} ms`

/** A difference. */
export const sayBytes = (bytes: number): string => `${bytes < 0 ? '' : '+'}${sayMegabytes(bytes)}`

export const sayMegabytes = (bytes: number): string => `${(bytes / BYTES_PER_MB).toFixed(2)} MB`

export const grouped = (value: number): string =>
  Math.round(value).toLocaleString('en').replaceAll(',', ' ')

const BYTES_PER_MB = 1_000_000

const sayShare = (share: number): string => `${Number((share * 100).toFixed(3))} %`

const signed = (value: number): string => (value < 0 ? String(value) : `+${value}`)
