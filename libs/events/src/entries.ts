/** Entries as Redis hands them over, checked against the chain and read. */
import { hash as digest } from 'node:crypto'
import { decode } from './codec.ts'
import type { Entry, Place, Recorded } from './log.ts'

/** `[id, [field, value, …]]`, as XRANGE and XREAD answer. */
export type RawEntry = readonly [id: string, fields: readonly string[]]

/** The one field of an entry: `time hash body`. One reads twice as fast as three. */
const FIELD = 'e'
const HASH_CHARACTERS = 40

export const chainHash = (before: string, atText: string, body: string): string =>
  digest('sha1', before + atText + body)

/**
 * The entry of a reply. What is not of the form that the append script writes comes out with an empty
 * hash. The script, which continues the chain, looks for the same form.
 */
export const entryOf = ([id, fields]: RawEntry): Entry => {
  const position = Number.parseInt(id, 10)
  const text = fields.length === 2 && fields[0] === FIELD ? (fields[1] ?? '') : ''
  const toHash = text.indexOf(' ') + 1
  const toBody = toHash + HASH_CHARACTERS + 1
  if (toHash <= 1 || text.indexOf(' ', toHash) !== toBody - 1) {
    return { position, at: Number.NaN, atText: '', hash: '', body: '' }
  }
  const atText = text.slice(0, toHash - 1)
  const hash = text.slice(toHash, toBody - 1)
  return { position, at: Number(atText), atText, hash, body: text.slice(toBody) }
}

/** Why the entry does not continue the history of `before`; undefined when it does. */
export const breakOf = (before: Place, entry: Entry): string | undefined => {
  // An entry without a hash was not written by the append script. It may have any later position, and
  // even share one with the entry before (`*` ids of one millisecond). It is kept apart when it is
  // read, and the chain goes on from before it, as the script sees it too.
  if (entry.hash === '' && entry.position >= before.position) return undefined
  if (entry.position !== before.position + 1) {
    return `position ${before.position} is followed by ${entry.position}`
  }
  return entry.hash === chainHash(before.hash, entry.atText, entry.body)
    ? undefined
    : `the entry at position ${entry.position} does not continue the history before it`
}

/** The place after an entry that continues the history of `before`. */
export const placeAfter = (before: Place, { position, hash }: Entry): Place => ({
  position,
  hash: hash === '' ? before.hash : hash,
})

export const recordedOf = (entry: Entry): Recorded => {
  const { position, at, atText, hash, body } = entry
  if (hash === '') {
    const why = 'was not written by an append'
    return { position, at, atText, hash, body, kind: 'quarantined', type: 'unreadable', why }
  }
  const decoded = decode(body)
  // Field by field: a spread takes as long as all the rest.
  return decoded.kind === 'event'
    ? {
        position,
        at,
        atText,
        hash,
        body,
        kind: 'event',
        event: decoded.event,
        meta: decoded.meta,
      }
    : { ...entry, ...decoded }
}
