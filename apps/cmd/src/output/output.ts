/**
 * Where words go. Standard output has the answer, as text or as one JSON document; standard error has
 * everything on the way to it. On a terminal, progress is one live line; elsewhere plain lines.
 */
import { styleText } from 'node:util'
import type { Io } from '../io.ts'

export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
  /** False after `--no-color`. */
  readonly color: boolean
}

export interface Output {
  readonly json: boolean
  /** The answer: the text for people, or the document for machines. */
  readonly answer: (document: unknown, text: () => string) => void
  /** One line of an answer that never ends: the text, or the document on a line of its own. */
  readonly entry: (document: unknown, text: () => string) => void
  /** A step that is done. */
  readonly step: (sentence: string) => void
  /** What is going on now. It replaces the last such line on a terminal. */
  readonly now: (sentence: string) => void
  /** Shown even when quiet. */
  readonly warn: (sentence: string) => void
  /** Takes the live line away, before the answer or the end. */
  readonly settle: () => void
  readonly paint: Paint
}

export interface Paint {
  readonly good: (text: string) => string
  readonly fair: (text: string) => string
  readonly bad: (text: string) => string
  readonly faint: (text: string) => string
}

/** In a log file, what is going on is repeated at most this often. */
const NOW_EVERY_MS = 2_000

export const createOutput = (io: Io, { json, quiet, color }: OutputOptions): Output => {
  const { stdout, stderr, live } = io
  let saidNowAt = Number.NEGATIVE_INFINITY
  let lastNow = ''
  const line = (sentence: string): void => {
    live?.clear()
    stderr.write(`${sentence}\n`)
  }
  return {
    json,
    answer: (document, text) => {
      live?.clear()
      stdout.write(json ? `${JSON.stringify(document, undefined, 2)}\n` : withNewline(text()))
    },
    entry: (document, text) => {
      live?.clear()
      stdout.write(json ? `${JSON.stringify(document)}\n` : withNewline(text()))
    },
    step: (sentence) => {
      if (!quiet) line(sentence)
    },
    now: (sentence) => {
      if (quiet) return
      if (live !== undefined) live.show(sentence)
      else if (sentence !== lastNow && Date.now() - saidNowAt >= NOW_EVERY_MS) {
        saidNowAt = Date.now()
        line(sentence)
      }
      lastNow = sentence
    },
    warn: line,
    settle: () => live?.clear(),
    paint: paintFor(color && stdout.isTTY === true && wantsColor(io)),
  }
}

/** Text from elsewhere, made harmless: no control character reaches a terminal. */
export const plain = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are just what is taken out
  text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')

const wantsColor = ({ environment }: Io): boolean => (environment['NO_COLOR'] ?? '') === ''

const paintFor = (color: boolean): Paint => {
  const as = (style: 'green' | 'yellow' | 'red' | 'dim') => (text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text
  return { good: as('green'), fair: as('yellow'), bad: as('red'), faint: as('dim') }
}

const withNewline = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`)
