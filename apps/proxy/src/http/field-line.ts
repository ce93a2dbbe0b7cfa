/**
 * One field line, `name: value CRLF` (RFC 9112 §5), shared by both heads and by trailers. It is read
 * in one pass and described by indices, so that a line that is merely kept costs no allocation.
 */
import {
  COLON,
  CR,
  FIELD_VALUE,
  FOLDING,
  HTAB,
  LF,
  SPACE,
  TOKEN,
  classesOf,
  endOf,
} from './syntax.ts'

/** Where the parts of a line lie in the text it was read from. Reused from line to line. */
export interface FieldLine {
  nameTo: number
  /** The value without the optional white space around it. */
  valueFrom: number
  valueTo: number
  /** Just past the line's CRLF. */
  next: number
  /** The name has a `_` or a `.`, see FOLDING. */
  folds: boolean
}

export const createFieldLine = (): FieldLine => ({
  nameTo: 0,
  valueFrom: 0,
  valueTo: 0,
  next: 0,
  folds: false,
})

/**
 * Reads the line at `from` into `line`. False refuses the whole head: an empty name, white space
 * before the colon (RFC 9112 §5.1), a folded line (§5.2), a control character in the value, or a
 * line that does not end in CRLF (§2.2).
 */
export const readFieldLine = (text: string, from: number, line: FieldLine): boolean => {
  let nameTo = from
  let seen = 0
  for (;;) {
    const classes = classesOf(text.charCodeAt(nameTo))
    if ((classes & TOKEN) === 0) break
    seen |= classes
    nameTo += 1
  }
  if (nameTo === from || text.charCodeAt(nameTo) !== COLON) return false

  let valueFrom = nameTo + 1
  while (isSpace(text.charCodeAt(valueFrom))) valueFrom += 1
  let valueTo = endOf(FIELD_VALUE, text, valueFrom)
  if (text.charCodeAt(valueTo) !== CR || text.charCodeAt(valueTo + 1) !== LF) return false

  line.next = valueTo + 2
  while (valueTo > valueFrom && isSpace(text.charCodeAt(valueTo - 1))) valueTo -= 1
  line.nameTo = nameTo
  line.valueFrom = valueFrom
  line.valueTo = valueTo
  line.folds = (seen & FOLDING) !== 0
  return true
}

/**
 * Whether nothing stands between the value and its CRLF. White space there is allowed (RFC 9112 §5),
 * but llhttp reads `chunked` and a tab as another coding, so fields that frame may not have it.
 */
export const endsWithItsValue = (line: FieldLine): boolean => line.valueTo + 2 === line.next

/**
 * Whether the section of field lines that `headEnd` saw ending at `end` has been read up to its empty
 * line. What ends in a bare LF looks ended to `headEnd`, and is refused here.
 */
export const isSectionEnd = (text: string, at: number, end: number): boolean =>
  at === end - 2 && text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF

const isSpace = (code: number): boolean => code === SPACE || code === HTAB
