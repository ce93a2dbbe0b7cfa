/**
 * How much of HTTP/1.1 we are willing to hold at once. Every limit is on by default and has one
 * status of its own; a peer that goes beyond it is refused, never truncated.
 */

/** The request line or status line together with all fields and the empty line: 431, or 502. */
export const HEAD_BYTES_MAX = 16_384

/** So much of what was read is looked through for the end of a head first: few are longer. */
export const USUAL_HEAD_BYTES = 4_096

/** Fields of one head, the dropped ones among them: 431, or 502. */
export const FIELDS_MAX = 100

/** The request target: 414. RFC 9112 §3 recommends to support at least 8000 octets. */
export const TARGET_BYTES_MAX = 8_192

/** Lengths up to 10^15 - 1 are exact as numbers (2^53 is larger): 400, or 502. */
export const CONTENT_LENGTH_DIGITS_MAX = 15

/** Hexadecimal digits of one chunk's size: chunks of up to 4 GiB. The length of a body is not bounded here. */
export const CHUNK_SIZE_DIGITS_MAX = 8

/** The trailer section of one chunked body, its empty line included. */
export const TRAILER_BYTES_MAX = 4_096

/** A request id that a trusted peer brings along; a longer one is replaced. */
export const REQUEST_ID_CHARACTERS_MAX = 128

/** What a body of our own repeats of a host name. */
export const SHOWN_HOST_CHARACTERS_MAX = 100
