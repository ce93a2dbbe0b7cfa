/**
 * Answers of a target of HTTP/2 as HTTP/1.1 text, for the parser that reads those of every target: it
 * decides what passes. Here nothing is judged but what could not be said in lines (RFC 9113 §10.3).
 */
import { STATUS_CODES } from 'node:http'

/** How the body is framed in the text. `none`: by the head. */
export type TextFraming = 'none' | 'length' | 'chunked'

export interface ResponseText {
  readonly status: number
  readonly framing: TextFraming
  /** Octets that the head states; 0 without a statement. */
  readonly contentLength: number
  /** The head with its empty line. */
  readonly text: string
}

/**
 * `fields`: names and values in turns, pseudo-header fields first. `ended`: nothing follows the head.
 * Undefined when the text would say something else than the fields do.
 */
export const responseText = (
  fields: readonly string[],
  method: string,
  ended: boolean,
): ResponseText | undefined => {
  let status = 0
  let stated: string | undefined
  let lines = ''
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] ?? ''
    const value = fields[at + 1] ?? ''
    if (name === ':status') status = Number(value)
    else {
      if (name === 'content-length') stated = value
      const line = fieldLine(name, value)
      if (line === undefined) return undefined
      lines += line
    }
  }
  const bodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304
  const first = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  if (bodiless) return { status, framing: 'none', contentLength: 0, text: `${first}${lines}\r\n` }
  if (stated !== undefined) {
    const contentLength = Number(stated)
    return { status, framing: 'length', contentLength, text: `${first}${lines}\r\n` }
  }
  return ended
    ? {
        status,
        framing: 'none',
        contentLength: 0,
        text: `${first}${lines}Content-Length: 0\r\n\r\n`,
      }
    : {
        status,
        framing: 'chunked',
        contentLength: 0,
        text: `${first}${lines}Transfer-Encoding: chunked\r\n\r\n`,
      }
}

/** What ends a chunked body: the last chunk and the trailer section. Undefined as for the head. */
export const trailerText = (fields: readonly string[]): string | undefined => {
  let lines = ''
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const line = fieldLine(fields[at] ?? '', fields[at + 1] ?? '')
    if (line === undefined) return undefined
    lines += line
  }
  return `0\r\n${lines}\r\n`
}

/** A pseudo-header field, or a line within a value, would be read as something that was not sent. */
const fieldLine = (name: string, value: string): string | undefined =>
  UNSAYABLE_NAME.test(name) || UNSAYABLE_VALUE.test(value) ? undefined : `${name}: ${value}\r\n`

const UNSAYABLE_NAME = /[^!#$%&'*+.^_`|~0-9a-z-]|^$/
const UNSAYABLE_VALUE = /[\0\r\n]/
