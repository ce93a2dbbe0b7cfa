/**
 * The alphabet of HTTP/1.1: which octet may stand where. Heads are read as latin1 text, so a
 * character's code is its octet, and one table look-up per character is all that validation costs.
 */

/** RFC 9110 §5.6.2: methods, field names, connection options. */
export const TOKEN = 1

/** RFC 9110 §5.5: HTAB, SP, VCHAR and obs-text; so neither CR, LF, NUL nor another control. */
export const FIELD_VALUE = 2

/**
 * RFC 9112 §3.2: visible ASCII. Wider than RFC 3986, because browsers send `|` and `{` as they are;
 * without `#`, because a fragment is never sent and targets disagree about where it ends.
 */
export const TARGET = 4

/** `_` and `.`, which CGI and its heirs (WSGI, Rack, PHP) cannot tell from `-` in a field name. */
export const FOLDING = 8

export const HTAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SPACE = 0x20
export const COLON = 0x3a
export const CRLF = '\r\n'

/** The classes of a character, as the bits above. Zero for what may stand nowhere. */
export const classesOf = (code: number): number => CLASSES[code] ?? 0

/** The index of the first character at or after `from` that is not of the class. */
export const endOf = (characterClass: number, text: string, from: number): number => {
  let at = from
  while ((classesOf(text.charCodeAt(at)) & characterClass) !== 0) at += 1
  return at
}

/** Whether the text is one token and nothing else. */
export const isToken = (text: string): boolean =>
  text !== '' && endOf(TOKEN, text, 0) === text.length

/**
 * Whether `text` has the token `lowerCase` at `from`, in any case. Only for tokens: setting bit 5
 * folds letters and leaves `-` and digits alone, and no other token character becomes one of them.
 */
export const hasToken = (text: string, from: number, lowerCase: string): boolean => {
  for (let index = 0; index < lowerCase.length; index += 1) {
    if ((text.charCodeAt(from + index) | 0x20) !== lowerCase.charCodeAt(index)) return false
  }
  return true
}

/** The members of a comma-separated list in lower case, empty ones left out (RFC 9110 §5.6.1). */
export const listMembers = (value: string): readonly string[] =>
  value
    .toLowerCase()
    .split(',')
    .map(withoutOuterSpace)
    .filter((member) => member !== '')

/** Only SP and HTAB are optional white space (RFC 9110 §5.6.3); `trim` would take more. */
const withoutOuterSpace = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, '')

const PUNCTUATION_OF_TOKENS = "!#$%&'*+-.^_`|~"

const CLASSES = ((): Uint8Array => {
  const classes = new Uint8Array(256)
  const mark = (code: number, bits: number): void => {
    classes[code] = (classes[code] ?? 0) | bits
  }
  for (let code = SPACE; code <= 0xff; code += 1) if (code !== 0x7f) mark(code, FIELD_VALUE)
  mark(HTAB, FIELD_VALUE)
  for (let code = 0x21; code <= 0x7e; code += 1) {
    const character = String.fromCharCode(code)
    if (character !== '#') mark(code, TARGET)
    if (/[A-Za-z0-9]/.test(character) || PUNCTUATION_OF_TOKENS.includes(character)) {
      mark(code, TOKEN)
    }
    if (character === '_' || character === '.') mark(code, FOLDING)
  }
  return classes
})()
