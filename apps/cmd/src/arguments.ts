/** How single arguments are read. Each throws commander's own error, which names the option. */
import { InvalidArgumentError } from 'commander'
import { parseDuration } from './spec/duration.ts'

export const readDuration = (text: string): number => {
  const parsed = parseDuration(text)
  if ('ms' in parsed) return parsed.ms
  throw new InvalidArgumentError(`${expectedOf(parsed.problem)}.`)
}

export const readDrainDuration = (text: string): number | 'infinity' => {
  if (text.trim().toLowerCase() === 'infinity') return 'infinity'
  const parsed = parseDuration(text)
  if ('ms' in parsed) return parsed.ms
  throw new InvalidArgumentError(`${expectedOf(parsed.problem)}, or "infinity".`)
}

/** A whole number from `min` on. */
export const readCount =
  (min: number) =>
  (text: string): number => {
    const count = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count >= min) return count
    throw new InvalidArgumentError(`expected a whole number from ${min} on.`)
  }

/** An option that may be repeated. */
export const collect = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  text,
]

/** A key of at most 200 characters that a Redis key and a terminal can carry. */
export const readKey = (text: string): string => {
  if (/^[\u0021-\u007e]{1,200}$/.test(text)) return text
  throw new InvalidArgumentError('expected 1 to 200 printable characters without spaces.')
}

/** The found part of the sentence is commander's to say. */
const expectedOf = (problem: string): string => problem.slice(problem.indexOf('expected'))
