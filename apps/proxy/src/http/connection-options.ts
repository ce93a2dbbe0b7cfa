/**
 * The Connection field (RFC 9110 §7.6.1): what the sender wants of this connection, and the names of
 * further fields that are meant for us alone. Off the hot path: parsers meet `keep-alive`, `close`
 * and no field at all before they ask here.
 */
import { CRLF, isToken, listMembers } from './syntax.ts'

export interface ConnectionOptions {
  readonly close: boolean
  readonly keepAlive: boolean
  readonly upgrade: boolean
  /** Lower-case names of fields to take out. */
  readonly nominated: readonly string[]
}

/** Reads the values of all Connection fields, joined by commas; undefined when one is not a token. */
export const parseConnection = (value: string): ConnectionOptions | undefined => {
  const members = listMembers(value)
  return members.every(isToken)
    ? {
        close: members.includes('close'),
        keepAlive: members.includes('keep-alive'),
        upgrade: members.includes('upgrade'),
        nominated: members.filter((member) => !ALWAYS_UNDERSTOOD.has(member)),
      }
    : undefined
}

/** The field lines without those of the given lower-case names. */
export const withoutFields = (fields: string, names: readonly string[]): string =>
  fields
    .split(CRLF)
    .filter((line) => line !== '' && !names.includes(nameOf(line)))
    .map((line) => line + CRLF)
    .join('')

/** Options that the parsers act on, and hop-by-hop names that are taken out without being named. */
const ALWAYS_UNDERSTOOD: ReadonlySet<string> = new Set([
  'close',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
])

const nameOf = (line: string): string => line.slice(0, line.indexOf(':')).toLowerCase()
