/**
 * One field of a client, and what HTTP/2 says about its form (RFC 9113 §8.2, §8.3). A field of a table is
 * one object for as long as it is in there, so that it is judged once however often it is sent.
 */
import { isConnectionField } from '../http/field-rules.ts'
import { FIELD_VALUE, HTAB, SPACE, TARGET, TOKEN, endOf, isToken } from '../http/syntax.ts'

/** Where a field goes, and the bits that the pseudo-fields have among each other. */
export const METHOD = 1
export const PATH = 2
export const SCHEME = 4
export const AUTHORITY = 8
export const PROTOCOL = 16

export interface Verdict {
  /** `line`: it passes as it is. The others have somebody who looks at them. */
  readonly kind: 'line' | 'pseudo' | 'host' | 'length' | 'cookie' | 'malformed'
  /** Of a pseudo-field; 0 for all others. */
  readonly bit: number
  /** As HTTP/1.1 writes it; '' for a pseudo-field and one that is malformed. */
  readonly line: string
}

export class Field {
  readonly name: string
  readonly value: string
  #verdict: Verdict | undefined

  /** Latin-1 text, as it came. */
  constructor(name: string, value: string) {
    this.name = name
    this.value = value
  }

  get verdict(): Verdict {
    return (this.#verdict ??= verdictOf(this.name, this.value))
  }
}

const verdictOf = (name: string, value: string): Verdict => {
  if (name.startsWith(':')) {
    const pseudo = PSEUDO_FIELDS.get(name)
    const isValid = pseudo?.isValid(value) ?? false
    return isValid ? { kind: 'pseudo', bit: pseudo?.bit ?? 0, line: '' } : MALFORMED
  }
  if (!isLowerCaseToken(name) || !isFieldValue(value)) return MALFORMED
  if (isConnectionField(name) || (name === 'te' && value !== 'trailers')) return MALFORMED
  return { kind: KINDS.get(name) ?? 'line', bit: 0, line: `${name}: ${value}\r\n` }
}

const MALFORMED: Verdict = { kind: 'malformed', bit: 0, line: '' }

const isLowerCaseToken = (name: string): boolean =>
  name !== '' && endOf(TOKEN, name, 0) === name.length && !/[A-Z]/.test(name)

/** RFC 9113 §8.2.1: no control characters, CR and LF among them, and no white space at its ends. */
const isFieldValue = (value: string): boolean =>
  endOf(FIELD_VALUE, value, 0) === value.length &&
  !isSpace(value.charCodeAt(0)) &&
  !isSpace(value.charCodeAt(value.length - 1))

const isSpace = (code: number): boolean => code === SPACE || code === HTAB

/** What may stand in a request line: nothing that would end it. */
const isTarget = (path: string): boolean =>
  (path.startsWith('/') || path === '*') && endOf(TARGET, path, 0) === path.length

const PSEUDO_FIELDS: ReadonlyMap<
  string,
  { readonly bit: number; readonly isValid: (value: string) => boolean }
> = new Map([
  [':method', { bit: METHOD, isValid: isToken }],
  [':path', { bit: PATH, isValid: isTarget }],
  [':scheme', { bit: SCHEME, isValid: (value) => value === 'http' || value === 'https' }],
  [':authority', { bit: AUTHORITY, isValid: isFieldValue }],
  [':protocol', { bit: PROTOCOL, isValid: isToken }],
])

const KINDS: ReadonlyMap<string, Verdict['kind']> = new Map([
  ['host', 'host'],
  ['content-length', 'length'],
  ['cookie', 'cookie'],
])
