/** What a program that ended had to say about it: the one line of its log that tells most. Pure. */
import { plain } from '../output/output.ts'
import { isRecord } from '../spec/readers.ts'

const CHARACTERS_MAX = 300

/** The error that ended it, else its last line; undefined when it said nothing. */
export const lastWords = (log: string): string | undefined => {
  const lines = log.split('\n').filter((line) => line.trim() !== '' && !NOISE.test(line))
  const line = lines.at(-1)
  return line === undefined ? undefined : plain(messageIn(line)).slice(0, CHARACTERS_MAX)
}

/** Node's own ending: the lines of a stack, of the source, and its version. */
const NOISE = /^(?:\s|Node\.js v\d|[{}^])(?!"level")|^(?:file|node):\S+:\d+$/

/** Of a structured line, its message and its error's. */
const messageIn = (line: string): string => {
  try {
    const entry: unknown = JSON.parse(line)
    if (!isRecord(entry)) return line
    const { msg, err } = entry
    const parts = [msg, isRecord(err) ? err['message'] : err]
    const said = [...new Set(parts.filter((part) => typeof part === 'string'))]
    return said.length === 0 ? line : said.join(': ')
  } catch {
    return line
  }
}
