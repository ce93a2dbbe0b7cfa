/** Entries as Redis hands them over, checked against the chain and read. */
import { createHash } from 'node:crypto'
import { decode } from './codec.ts'
import type { Entry, Place, Recorded } from './log.ts'

/** `[id, [field, value, …]]`, as XRANGE and XREAD answer. */
export type RawEntry = readonly [id: string, fields: readonly string[]]

export const chainHash = (before: string, atText: string, body: string): string =>
  createHash('sha1').update(before).update(atText).update(body).digest('hex')

/** The entry of a reply. Fields that are missing, as in hand-written garbage, read as empty. */
export const entryOf = ([id, fields]: RawEntry): Entry => {
  let atText = ''
  let body = ''
  let hash = ''
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const value = fields[index + 1] ?? ''
    switch (fields[index]) {
      case 'e':
        body = value
        break
      case 'at':
        atText = value
        break
      case 'hash':
        hash = value
        break
      default:
    }
  }
  return { position: Number.parseInt(id, 10), at: Number(atText), atText, body, hash }
}

/** Why the entry does not continue the history of `before`; undefined when it does. */
export const breakOf = (before: Place, entry: Entry): string | undefined => {
  // An entry without a hash was not written by the append script, and may have any later position. It
  // is kept apart when it is read, and the chain goes on from before it, as the script sees it too.
  if (entry.hash === '' && entry.position > before.position) return undefined
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
  if (entry.hash === '') {
    return {
      ...entry,
      kind: 'quarantined',
      type: 'unreadable',
      why: 'was not written by an append',
    }
  }
  return { ...entry, ...decode(entry.body) }
}
