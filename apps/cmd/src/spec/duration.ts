/** Lengths of time as people write them: bare milliseconds, `250ms`, `5s`, `1m30s`, `1.5h`. */

export type ParsedDuration = { readonly ms: number } | { readonly problem: string }

/** The longest wait that a timer can hold: a bit over 24 days. */
export const DURATION_MS_MAX = 2_147_483_647

const UNIT_MS: ReadonlyMap<string | undefined, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/y
const EXPECTED = 'expected milliseconds or a duration such as "5s", "1m30s" or "250ms"'

/** Reads a duration. The problem is a clause that fits after the field's name and a colon. */
export const parseDuration = (value: unknown, msMax: number = DURATION_MS_MAX): ParsedDuration => {
  if (typeof value !== 'number' && typeof value !== 'string') {
    return { problem: `found ${described(value)}; ${EXPECTED}` }
  }
  const text = String(value).trim().toLowerCase()
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : sumOfParts(text)
  if (ms === undefined) return { problem: `found ${described(value)}; ${EXPECTED}` }
  if (ms > msMax) {
    const days = Math.floor(msMax / 86_400_000)
    return { problem: `found ${described(value)}; expected at most ${days} days` }
  }
  return { ms: Math.round(ms) }
}

/** A duration in words as short as they can be: `250 ms`, `1.5 s`, `2 min`, `1 h 5 min`. */
export const sayDuration = (ms: number): string => {
  if (ms < 1_000) return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`
  if (ms < 60_000) return `${Number((ms / 1_000).toFixed(1))} s`
  const minutes = Math.floor(ms / 60_000)
  const seconds = Math.round((ms % 60_000) / 1_000)
  if (minutes < 60) return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`
  const hours = Math.floor(minutes / 60)
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
}

/** A value as it stood in the file, short enough for a sentence. */
export const described = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value) ?? typeof value
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text
}

const SHOWN_CHARACTERS_MAX = 60

const sumOfParts = (text: string): number | undefined => {
  let ms = 0
  PART.lastIndex = 0
  while (PART.lastIndex < text.length) {
    const part = PART.exec(text)
    if (part === null) return undefined
    // The expression admits these units only.
    ms += Number(part[1]) * (UNIT_MS.get(part[2]) ?? Number.NaN)
  }
  return text === '' ? undefined : ms
}
